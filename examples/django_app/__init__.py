"""A shelf for documents, with Django and its login. Run it with ``python -m examples.django_app``."""
