"""The draft of the note, and what else is said before a publication, by an analyst's order."""
