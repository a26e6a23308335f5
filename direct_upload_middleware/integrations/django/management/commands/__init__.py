"""The management commands of direct uploads."""
