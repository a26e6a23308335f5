"""Storage servers besides the private ones: Ceph, Keystone, Rackspace, and Swift with its S3 API."""
