"""Black-box journeys: the program as people and their mail programs meet it."""
