"""Integrations with frameworks and deployment tools. Each module imports its framework; nothing else imports it."""
