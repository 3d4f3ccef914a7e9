"""Nothing is acknowledged before it is on disk (testbook/faults.md I2): the kernel's own record of who did what, when.

strace watches the daemon and, where there is one, the database server: between the read that brought a mail's final dot
and the write of its 250 there is a sync of the store that began after that read and had ended before that write.
"""

import asyncio
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.load import Door, Plan, run
from tests.faults.scene import UNLIMITED, Store, mails
from tests.servers.daemon import Daemon
from tests.servers.postgres import Postgres
from tests.servers.wait import program, refuse_or_skip

Daemons = Callable[..., Daemon]
STORES = {"sqlite": "mailrouter.db-wal", "postgresql": "pg_wal/"}
CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\((\d+)<([^>]*)>)?(.*)$")


@pytest.mark.row("R01")
@pytest.mark.parametrize("kind", STORES)
async def test_each_250_follows_a_sync_of_the_store(
    kind: str, request: pytest.FixtureRequest, daemons: Daemons, tmp_path: Path
) -> None:
    url = request.getfixturevalue({"sqlite": "sqlite_copy", "postgresql": "postgres_migrated"}[kind])
    servers = [pid_of(request.getfixturevalue("postgres_server"))] if kind == "postgresql" else []
    node = daemons(url, **UNLIMITED)
    await asyncio.to_thread(node.start, "--only", "smtp")
    with traced([node.pid, *servers], tmp_path / "trace"):
        one_by_one = await run(Door(node.smtp_port), mails(20, "alone"), Plan(sessions=1))
        together = await run(Door(node.smtp_port), mails(80, "together"), Plan(sessions=16))
    assert len(one_by_one.acked) + len(together.acked) == 100 == len(Store(url).raws())
    proofs = list(proved(calls((tmp_path / "trace").read_text("utf-8", "replace")), STORES[kind]))
    assert proofs == [True] * 100


def pid_of(server: Postgres) -> int:
    """The process all of the server's others are children of."""
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])


@contextmanager
def traced(processes: Sequence[int], into: Path) -> Iterator[None]:
    """strace these processes, and those they start, for the length of a `with`."""
    attach = [word for process in everyone(processes) for word in ("-p", str(process))]
    command = [str(program("strace", "strace")), "-f", "-y", "-s", "65536", "-o", str(into),
               "-e", "trace=recvfrom,sendto,fsync,fdatasync", *attach]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr
        for _ in range(len(attach) // 2):
            said = tracer.stderr.readline()
            ended = "No such process" in said and not any(f", {one})" in said for one in processes)  # a child, just now
            if "attached" not in said and not ended:
                tracer.kill()
                refuse_or_skip(f"permission to trace a process ({said.strip()})")
        yield
        tracer.terminate()
        tracer.stderr.read()


def everyone(processes: Sequence[int]) -> list[int]:
    """These processes and their children, as they are now."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [pid for pid, parent in pairs if pid in processes or parent in processes]


@dataclass(frozen=True)
class Call:
    """One system call: when it began and ended, as line numbers of the trace."""

    name: str
    file: str  # what its first argument is
    text: str
    began: int
    ended: int


def calls(trace: str) -> list[Call]:
    """Every call that came to its end, those that others came between put together again."""
    begun: dict[str, tuple[int, str, str]] = {}
    found = []
    for number, line in enumerate(trace.splitlines()):
        match = CALL.match(line)
        if match is None:
            continue
        thread, name, _, file, rest = match.groups()
        if rest.endswith("<unfinished ...>"):
            begun[thread] = (number, file or "", rest)
        elif file is None:
            began, file, before = begun.pop(thread, (number, "", ""))
            found.append(Call(name, file, before + rest, began, number))
        else:
            found.append(Call(name, file, rest, number, number))
    return sorted(found, key=lambda call: call.ended)


def proved(made: Sequence[Call], store: str) -> Iterator[bool]:
    """For each 250 of a mail: whether a sync of the store lay between its final dot and it."""
    syncs = [call for call in made if call.name in {"fsync", "fdatasync"} and store in call.file]
    dots: dict[str, int] = {}
    for call in made:
        if call.name == "recvfrom" and r"\r\n.\r\n" in call.text:
            dots[call.file] = call.ended
        elif call.name == "sendto" and "250 2.0.0 Stored" in call.text:
            dot = dots.pop(call.file)
            yield any(dot < sync.began and sync.ended < call.began for sync in syncs)


DOT = r'1 recvfrom(8<S>, "x\r\n.\r\n", 100, 0, NULL, NULL) = 6'
SAID = r'1 sendto(8<S>, "250 2.0.0 Stored\r\n", 18, 0, NULL, 0) = 18'
SYNC, ELSEWHERE = "2 fdatasync(5</w>) = 0", "2 fdatasync(5</other>) = 0"
BEGUN, ENDED = "2 fdatasync(5</w> <unfinished ...>", "2 <... fdatasync resumed>) = 0"


@pytest.mark.parametrize(
    ("trace", "proof"),
    [
        ([DOT, SYNC, SAID], True),
        ([DOT, BEGUN, ENDED, SAID], True),
        ([SYNC, DOT, SAID], False),
        ([DOT, SAID, SYNC], False),
        ([BEGUN, DOT, ENDED, SAID], False),
        ([DOT, BEGUN, SAID, ENDED], False),
        ([DOT, ELSEWHERE, SAID], False),
    ],
)
def test_the_reader_of_traces_proves_nothing_too_easily(trace: list[str], proof: bool) -> None:
    assert list(proved(calls("\n".join(trace)), "/w")) == [proof]
