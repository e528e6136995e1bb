"""The system of record: files in and out, plans, the store."""
