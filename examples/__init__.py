"""Small whole applications to copy from, and what runs them."""
