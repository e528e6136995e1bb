"""The index: which records could a question be about? Partitions by jurisdiction, derived from the records, rebuilt at will."""
