"""A private OpenStack Swift in one directory, for tests and demos."""
