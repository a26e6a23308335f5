"""Applications of Django: settings, models, and a site with its admin."""
