"""Node and the programs of npm, for tests of the script."""
