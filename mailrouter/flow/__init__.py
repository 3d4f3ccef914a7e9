"""The verbs, told in order; what one verb changes is one transaction."""
