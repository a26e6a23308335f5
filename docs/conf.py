"""Sphinx."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works in a checkout without installation

project = "direct-upload-middleware"
author = "the authors of direct-upload-middleware"
copyright = author
try:
    release = metadata.version(project)
except metadata.PackageNotFoundError:
    release = ""

extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_copy_source = False
highlight_language = "default"  # Python, if it is valid Python

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_type_aliases = {
    "Identify": "Identify",
    "Authorize": "Authorize",
    "OnComplete": "OnComplete",
    "ObjectName": "ObjectName",
}
