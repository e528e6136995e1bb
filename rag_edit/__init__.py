"""rag_edit: change what a language model says by updating a record, without touching the model."""
