"""A shelf for documents, with Pyramid and SQLAlchemy. Run it with ``python -m examples.pyramid_app``."""
