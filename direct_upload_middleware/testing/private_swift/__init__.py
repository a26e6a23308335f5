"""A real OpenStack Swift in one directory, for tests and for trying things out."""
