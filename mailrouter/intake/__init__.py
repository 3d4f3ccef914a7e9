"""The doors mail comes in by: accept, store, say so."""
