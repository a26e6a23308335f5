"""What several tests share. No tests."""
