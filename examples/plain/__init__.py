"""A shelf for files: plain WSGI, without a framework. Run it with ``python -m examples.plain``."""
