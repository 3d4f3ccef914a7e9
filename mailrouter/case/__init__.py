"""What a coordinator knows: pure rules over frozen dataclasses. Opens nothing, reads no clock."""
