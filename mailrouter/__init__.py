"""mailrouter: coordinated vulnerability disclosure by mail."""
