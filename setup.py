"""Packaging that pyproject.toml cannot express. All other metadata is there."""

import re
from pathlib import Path

from setuptools import find_packages, setup


def long_description() -> str:
    """Return the README as a package index can show it: without pictures and links that exist in a checkout only."""
    readme = Path(__file__).with_name("README.rst").read_text(encoding="utf-8")
    readme = re.sub(r"^\.\. image:: (?!https:).*\n(?: +.*\n)*\n", "", readme, flags=re.MULTILINE)
    return re.sub(r"`([^`<]+) <(?!https:)[^>]+>`_+", r"\1", readme)


setup(
    long_description=long_description(),
    long_description_content_type="text/x-rst",
    # Two packages are outside the package's folder. "direct-upload demo" needs the example without a framework.
    packages=[
        *find_packages(include=["direct_upload_middleware*"]),
        "direct_upload_middleware.static",
        "direct_upload_middleware.demo",
        "direct_upload_middleware.demo.plain",
    ],
    package_dir={"direct_upload_middleware.static": "static", "direct_upload_middleware.demo": "examples"},
)
