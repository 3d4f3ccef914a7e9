"""The short path to a long GNUPGHOME: gone with whoever made it, and not before."""

import gc
import os
import warnings
from pathlib import Path

from mailrouter.pgp import Pgp
from mailrouter.pgp.agent import LONGEST_HOME, ShortHome


def long_home(folder: Path) -> Path:
    home = folder / ("h" * LONGEST_HOME)
    home.mkdir()
    return home


def test_a_short_home_is_itself(tmp_path: Path) -> None:
    home = Path("/tmp/mr-short-enough")
    short = ShortHome(home)
    short.close()
    assert short.path == str(home)


def test_a_long_home_is_reached_by_a_link_until_it_is_closed(tmp_path: Path) -> None:
    home = long_home(tmp_path)
    short = ShortHome(home)
    link = Path(short.path)
    assert (link.resolve(), len(short.path) < 30) == (home.resolve(), True)
    short.close()
    short.close()
    assert not link.parent.exists()
    assert home.is_dir()


def test_a_pgp_that_is_dropped_cleans_up_without_a_word(tmp_path: Path) -> None:
    pgp = Pgp(long_home(tmp_path), tmp_path / "k")
    link = Path(pgp._short.path).parent
    assert link.is_dir()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        del pgp
        gc.collect()
    assert [str(one.message) for one in said] == []
    assert not link.exists()


def test_a_child_leaves_the_link_to_its_parent(tmp_path: Path) -> None:
    short = ShortHome(long_home(tmp_path))
    child = os.fork()
    if child == 0:
        short.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert Path(short.path).is_dir()
    short.close()
