"""Pyramid needs pkg_resources, which warns of itself where it is imported first: that is here."""

import warnings
from contextlib import suppress

with warnings.catch_warnings(), suppress(ModuleNotFoundError):
    warnings.simplefilter("ignore")
    import pkg_resources  # noqa: F401
