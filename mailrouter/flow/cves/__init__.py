"""CVE IDs and records: asked for, reserved, told, published, rejected; how the service is asked."""
