"""The note of a case: its facts, its drafts, who approves them, and whether it may be published."""
