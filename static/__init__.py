"""The script that pages load: ES modules, served as they are."""
