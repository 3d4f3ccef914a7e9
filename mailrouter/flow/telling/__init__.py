"""What our own staff is told."""
