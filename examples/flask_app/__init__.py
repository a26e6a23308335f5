"""A shelf for documents, with Flask, Flask-Login and SQLAlchemy. Run it with ``python -m examples.flask_app``."""
