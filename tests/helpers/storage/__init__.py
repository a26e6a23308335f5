"""Clients of a storage as browsers are, and processes that use it at the same moment."""
