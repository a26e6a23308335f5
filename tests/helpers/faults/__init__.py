"""Faults on purpose: of networks, of storage servers, and in what they answer."""
