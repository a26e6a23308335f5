"""A shelf for documents, with Django and its log-in. Run it with ``python -m examples.django_app``."""
