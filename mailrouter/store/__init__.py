"""SQL: rows in, dataclasses out. The first argument of every function is the open transaction."""
