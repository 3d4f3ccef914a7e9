"""After publication: who is told, what rests, what asks for another revision."""
