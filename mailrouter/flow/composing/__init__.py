"""Drafts of the note: what is known for it, and how they are written, made anew and proposed."""
