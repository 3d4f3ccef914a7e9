"""Waiting for a condition instead of for a time."""

import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

T = TypeVar("T")
MISSING = "MISSING SERVER"  # how a skip for want of a server begins; counted and shown at the end of a run
POLL_SECONDS = 0.02


def until(condition: Callable[[], T], what: str, *, seconds: float = 30) -> T:
    """The first true value of `condition`; fails the test with `what` when there is none in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = condition()
        if found:
            return found
        time.sleep(POLL_SECONDS)
    pytest.fail(f"waited {seconds} s for: {what}")


def free_port() -> int:
    """A TCP port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Does something accept connections there?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def program(name: str, package: str, *folders: Path) -> Path:
    """The program's path. Missing: a failure in CI, a counted skip elsewhere."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if not found:
        refuse_or_skip(f"{name} (Debian package {package})")
    return Path(found)


def refuse_or_skip(what: str) -> NoReturn:
    """What this test needs is not here."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{MISSING}: {what}")
    pytest.skip(f"{MISSING}: {what}")
