"""One case, played through a real daemon."""
