"""Who said what, when, and what was answered: signed statements, one append-only ledger, receipts of answers."""
