"""A shelf for files, in plain WSGI without a framework. Run it with ``python -m examples.plain``."""
