"""Fixtures of the commands' tests."""

import pytest

from tests.cli.console import Console
from tests.flow.world import World, house_pgp, world, worlds
from tests.pgp.keys import keymaker

__all__ = ["house_pgp", "keymaker", "world", "worlds"]


@pytest.fixture
def console(world: World) -> Console:
    """Alice at the command line."""
    return Console(world)
