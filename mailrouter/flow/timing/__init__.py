"""What falls due: what is to come, what a beat does, whose dates move."""
