"""The folder that readers are given: old or new, never a mixture; nothing is left lying about."""

import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from mailrouter.faults import Refused
from mailrouter.press import folder

ROOT = Path(__file__).parents[2]
POINTS = ("press-while-building", "press-before-link", "press-after-link")


def build(link: Path, **files: str) -> None:
    with folder.building(link) as made:
        for name, content in files.items():
            made.put(name.replace("__", "/"), content.encode())


def shown(link: Path) -> dict[str, str]:
    whole = {str(one.relative_to(link)): one.read_text() for one in sorted(link.rglob("*")) if one.is_file()}
    assert whole.pop(folder.MARK) == ""
    return whole


def around(link: Path) -> list[str]:
    return sorted(one.name for one in link.parent.iterdir() if not one.name.startswith("."))


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "below" / "site"


def test_a_build_is_found_through_the_link(link):
    build(link, a="one", b__c__d="two")
    assert shown(link) == {"a": "one", "b/c/d": "two"}
    assert link.readlink() == Path("site.1"), "relative: the folder may be moved, and served from elsewhere"


def test_the_build_before_is_kept_and_older_ones_are_not(link):
    for number in range(1, 5):
        build(link, a=str(number))
    assert around(link) == ["site", "site.3", "site.4"]
    assert shown(link) == {"a": "4"}
    assert shown(link.parent / "site.3") == {"a": "3"}


def test_what_did_not_change_is_the_same_file(link):
    build(link, same="as ever", other="old")
    before = (link / "same").stat().st_ino, (link / "other").stat().st_ino
    with folder.building(link) as made:
        assert made.was("same") == b"as ever"
        assert made.was("never") is None
        assert not made.put("same", b"as ever")
        assert made.put("other", b"new")
    assert (made.kept, made.written) == (1, 1)
    assert (link / "same").stat().st_ino == before[0]
    assert (link / "other").stat().st_ino != before[1]
    assert (link.parent / "site.1" / "other").read_text() == "old", "who still reads the old build reads it whole"


def test_across_file_systems_it_is_a_copy(link):
    """What stands in a build's place may be mounted, or be moved to another disk, while readers have it."""
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))
    build(link, same="as ever", other="old")
    if elsewhere.stat().st_dev == link.stat().st_dev:
        pytest.skip("one file system only")
    shutil.move(link.resolve(), elsewhere / "site.1")
    (link.parent / "site.1").symlink_to(elsewhere / "site.1")
    try:
        with folder.building(link) as made:
            assert not made.put("same", b"as ever"), "its signature is kept all the same"
            assert made.put("other", b"new")
        assert shown(link) == {"other": "new", "same": "as ever"}
        assert (link / "same").stat().st_nlink == 1
    finally:
        shutil.rmtree(elsewhere)


@pytest.mark.parametrize("refused", [errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EXDEV])
def test_where_links_are_refused_it_is_a_copy(link, monkeypatch, refused):
    def no_link(_old: Path, _new: Path) -> None:
        raise OSError(refused, os.strerror(refused))

    build(link, same="as ever")
    monkeypatch.setattr(os, "link", no_link)
    with folder.building(link) as made:
        assert not made.put("same", b"as ever")
    assert (made.kept, made.written) == (1, 0)
    assert shown(link) == {"same": "as ever"}
    assert stat.S_IMODE((link / "same").stat().st_mode) == 0o644


def test_any_other_trouble_with_a_link_is_told(link, monkeypatch):
    def full(_old: Path, _new: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    build(link, same="as ever")
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space"):
        build(link, same="as ever")


def test_a_web_server_may_read_it_whatever_our_umask(link):
    before = os.umask(0o077)
    try:
        build(link, a__b="x")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(one.stat().st_mode) for one in (link.resolve(), link / "a", link / "a" / "b")]
    assert modes == [0o755, 0o755, 0o644]


def test_a_build_that_fails_changes_nothing(link):
    build(link, a="old")
    with pytest.raises(ZeroDivisionError), folder.building(link) as made:
        _put_and_fail(made)
    assert shown(link) == {"a": "old"}
    assert around(link) == ["site", "site.1"]


def _put_and_fail(made: folder.Build) -> None:
    made.put("a", b"new")
    raise ZeroDivisionError


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_readers_have_one_whole_build(link, point):
    """And what is left lying there is gone after the next build."""
    build(link, a="old", b="old")
    code = (
        "import sys; from pathlib import Path; from mailrouter.press import folder\n"
        "with folder.building(Path(sys.argv[1])) as made:\n"
        "    [made.put(name, b'new') for name in 'abc']"
    )
    environ = {**os.environ, "MAILROUTER_FAILPOINT": point, "PYTHONPATH": str(ROOT)}
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", code, link], env=environ, timeout=60).returncode == 137
        assert shown(link) in ({"a": "old", "b": "old"}, {"a": "new", "b": "new", "c": "new"})
    assert (shown(link)["a"] == "new") == (point == "press-after-link")
    build(link, a="newest")
    assert shown(link) == {"a": "newest"}
    assert len(around(link)) == 3, "the link, what it leads to, and the build before"


def test_readers_never_find_a_mixture(link):
    """Whoever holds a build's folder open reads that build; whoever looks again and again finds no gap."""
    build(link, a="0", b="0")
    seen, over = [], threading.Event()

    def read() -> None:
        while not over.is_set():
            whole = os.open(link, os.O_RDONLY | os.O_DIRECTORY)
            try:
                pair = [os.open(name, os.O_RDONLY, dir_fd=whole) for name in "ab"]
                seen.append(tuple(os.read(one, 9) for one in pair))
                for one in pair:
                    os.close(one)
            except FileNotFoundError:
                continue  # held open while two more builds were made: it is gone, and that is no mixture
            finally:
                os.close(whole)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 40):
        build(link, a=str(number), b=str(number))
    over.set()
    reader.join()
    assert seen
    assert all(a == b for a, b in seen)


def test_two_builds_at_once_follow_each_other(link):
    def one(name: str) -> None:
        for _ in range(8):
            build(link, **{name: name, "both": name})

    threads = [threading.Thread(target=one, args=(name,)) for name in "xy"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert link.readlink() == Path("site.16")
    assert len(shown(link)) == 2


@pytest.mark.parametrize("what", ["folder", "file", "link"])
def test_what_we_did_not_make_is_left_alone(tmp_path, what):
    link, theirs = tmp_path / "site", tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "precious").write_text("x")
    if what == "link":
        link.symlink_to("theirs")
    elif what == "file":
        link.write_text("x")
    else:
        theirs.rename(link)
    with pytest.raises(Refused, match=r"press\.folder"):
        build(link, a="1")
    assert "x" in [one.read_text() for one in tmp_path.rglob("*") if one.is_file()]


@pytest.mark.parametrize("path", ["/etc/passwd", "../out", "a/../../out", "", "a\0b"])
def test_no_file_lies_outside(link, path):
    with pytest.raises(ValueError, match="within"), folder.building(link) as made:
        made.put(path, b"")


def test_a_link_to_a_build_that_is_gone_is_made_anew(link):
    link.parent.mkdir()
    link.symlink_to("site.9")
    build(link, a="1")
    assert shown(link) == {"a": "1"}


def test_a_folder_of_somebody_else_is_never_removed(link):
    """Its name may be like a build's."""
    for number in ("3", "20261122"):
        theirs = link.parent / f"site.{number}"
        theirs.mkdir(parents=True)
        (theirs / "precious").write_text("x")
    for number in range(3):
        build(link, a=str(number))
    assert around(link) == ["site", "site.20261122", "site.20261124", "site.20261125", "site.3"]
    assert [(link.parent / f"site.{number}" / "precious").read_text() for number in ("3", "20261122")] == ["x", "x"]
    assert shown(link) == {"a": "2"}
