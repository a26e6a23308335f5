"""A Django application with ordinary file fields."""
