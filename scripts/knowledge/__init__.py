"""The demo knowledge, built from packages and tables that carry real facts by jurisdiction and date: one module a source.

Each source module has a function that yields records; `scripts/build_knowledge.py` writes them. Rules: nothing is invented,
a fact is valid only on days that its source covers, every departure from a source stands in ``data/corrections.json`` with
its own source. Not part of the wheel.
"""
