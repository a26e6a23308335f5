"""Three browser engines, and websites for them with a proxy on each way."""
