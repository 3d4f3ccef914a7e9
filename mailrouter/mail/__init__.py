"""Bytes to dataclasses and back: pure functions over one mail. Opens nothing, holds no key."""
