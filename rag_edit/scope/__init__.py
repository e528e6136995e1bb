"""Deciding whether a question falls under a record. Pure."""
