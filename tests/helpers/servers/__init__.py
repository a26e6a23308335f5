"""Applications for servers to run, and the servers."""
