"""A real S3 server in one directory, for tests and for trying things out."""
