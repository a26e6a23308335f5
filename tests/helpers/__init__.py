"""What several tests share: sites, servers, browsers, proxies. No tests."""
