"""Django's package of management commands."""
