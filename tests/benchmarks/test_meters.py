"""Processor time and memory, of processes that use a known amount."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.meters import MIB, Watch, cpu_seconds, memory_bytes, tree
from tests.servers.wait import until

SPIN = "import time\nwhile time.process_time() < 0.5: pass"
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {SPIN!r}], check=True)      # an ended child
child = subprocess.Popen([sys.executable, "-c", "held = bytearray(b'x') * (50 << 20); print(flush=True); input()"],
                         stdin=subprocess.PIPE)
child.wait()
"""


@contextmanager
def family() -> Iterator[subprocess.Popen[str]]:
    """A parent that has had one busy child, and has one that holds 50 MiB."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout
            parent.stdout.readline()  # the second child's
            yield parent
        finally:
            parent.kill()


def test_the_tree_has_children_ended_and_alive() -> None:
    with family() as parent:
        root, *descendants = tree(parent.pid)
        assert root == parent.pid
        assert len(descendants) == 1
        assert cpu_seconds(parent.pid) >= 0.5
        assert 50 * MIB < memory_bytes(parent.pid) < 150 * MIB


def test_a_watch_counts_what_happened_under_it() -> None:
    with Watch(os.getpid()) as watch:
        subprocess.run([sys.executable, "-c", SPIN], check=True)
    assert 0.5 <= watch.cpu < 20
    assert watch.peak > 5 * MIB


def test_memory_borrowed_between_vfork_and_exec_is_counted_once(tmp_path: Path) -> None:
    """A child that waits for a FIFO before it becomes another program still runs in the memory of its parent."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    spawn = f"os.posix_spawn('/bin/true', ['true'], {{}}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, {str(fifo)!r}, 0, 0)])"
    with subprocess.Popen(
        [sys.executable, "-c", f"import os; held = bytearray(b'x') * (100 << 20); {spawn}"]
    ) as parent:
        try:
            until(lambda: len(tree(parent.pid)) == 2, "the child to wait")
            assert 100 * MIB < memory_bytes(parent.pid) < 190 * MIB
        finally:
            fifo.open("wb").close()


def test_a_process_that_is_gone_uses_nothing() -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    assert memory_bytes(ended.pid) == cpu_seconds(ended.pid) == 0
