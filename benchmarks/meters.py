"""What a program costs: processor time and memory of a process and all its descendants, as /proc tells them.

Linux only. Databases and other servers are no descendants of what is measured, and so never counted.
"""

import os
import re
import threading
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.2
MIB = 1024 * 1024
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)  # ended while we looked; its memory map went first


def tree(root: int) -> list[int]:
    """The process and all its descendants that are there now."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(*GONE):
                children[int(_stat(int(entry.name))[1])].append(int(entry.name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the tree so far, with that of its ended, waited-for children."""
    total = 0
    for pid in tree(root):
        with suppress(*GONE):
            total += sum(int(field) for field in _stat(pid)[11:15])  # utime stime cutime cstime
    return total / TICKS


def memory_bytes(root: int) -> int:
    """Proportional set size of the tree: shared pages are divided among those who share them."""
    total = 0
    for pid in tree(root):
        with suppress(*GONE):
            total += 0 if _borrows(pid) else _pss(pid)
    return total


def _borrows(pid: int) -> bool:
    """Between vfork and exec: it runs in its parent's memory, and the parent waits in the kernel (state D)."""
    parent = int(_stat(pid)[1])
    return _stat(parent)[0] == "D" and _command(pid) == _command(parent)


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may hold anything: state, ppid, ... (proc_pid_stat(5))."""
    return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()


def _pss(pid: int) -> int:
    found = re.search(r"^Pss:\s+(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text("ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


class Watch:
    """For the block: `cpu` seconds the tree of `root` used, and the `peak` bytes it held, sampled."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.cpu = 0.0
        self.peak = 0

    def __enter__(self) -> Self:
        self._began = cpu_seconds(self._root)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.cpu = cpu_seconds(self._root) - self._began

    def _sample(self) -> None:
        while True:
            self.peak = max(self.peak, memory_bytes(self._root))
            if self._over.wait(SAMPLE_SECONDS):
                return
