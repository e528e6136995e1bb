"""Who may change what: people, mandates, decisions about acts, and the life of a change. Pure; knows no file, key or clock."""
