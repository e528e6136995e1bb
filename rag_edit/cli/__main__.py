"""`python -m rag_edit.cli`: the command line without its entry point."""

from rag_edit.cli.main import main

main()
