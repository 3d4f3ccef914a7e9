"""A report from its arrival to our decision."""
