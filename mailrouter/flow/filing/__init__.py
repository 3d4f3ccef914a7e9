"""What analysts do with one mail."""
