"""The way of a letter: sealed, searched for leaks, handed over, kept in hand."""
