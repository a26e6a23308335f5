"""A shelf for documents, with Bottle and SQLite. Run it with ``python -m examples.bottle_app``."""
