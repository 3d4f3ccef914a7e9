"""What analysts do in a case: who takes part, where they stand, what is written, told, taken and agreed."""
