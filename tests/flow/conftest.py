"""Fixtures of the flows' tests."""

from tests.flow.prepared import shelf
from tests.flow.world import house_pgp, world, worlds
from tests.pgp.keys import keymaker

__all__ = ["house_pgp", "keymaker", "shelf", "world", "worlds"]
