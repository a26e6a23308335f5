"""``manage.py clean_up``."""
