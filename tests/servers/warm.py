"""Commands without the half second of imports: a process that has the program loaded forks itself for each.

What runs is `main` of `mailrouter.cli`, in a process of its own, with the caller's environment, folder and files. What
only a start from nothing shows (locales, `LD_PRELOAD`, failpoints, the daemon) is started from nothing.

`python -S warm.py SOCKET ARGUMENT...` is such a command, for shells.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

COLD = ("LD_PRELOAD", "LC_ALL", "LANG", "PYTHONIOENCODING", "MAILROUTER_FAILPOINT")  # matter before anything is loaded


def possible(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """May this command be run so?"""
    return "serve" not in arguments[:3] and all(environ.get(name) == os.environ.get(name) for name in COLD)


def run(arguments: Sequence[str], given: bytes, environ: Mapping[str, str], folder: Path) -> tuple[int, bytes, bytes]:
    """One command: its exit status, its stdout, its stderr."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(given)
        stdin.seek(0)
        files = [one.fileno() for one in (stdin, stdout, stderr)]
        status = _ask(address(), arguments, environ, str(folder), files)
        stdout.seek(0)
        stderr.seek(0)
        return status, stdout.read(), stderr.read()


@cache
def address() -> str:
    """Of this test run's loaded process, which ends with it."""
    folder = tempfile.TemporaryDirectory(prefix="mrw-")
    path = f"{folder.name}/socket"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", "from tests.servers import warm; warm.serve()", path]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"

    def end() -> None:
        process.communicate()  # the end of its stdin ends it
        folder.cleanup()

    atexit.register(end)
    return path


def _ask(path: str, arguments: Sequence[str], environ: Mapping[str, str], folder: str, files: Sequence[int]) -> int:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(120)
        line.connect(path)
        request = json.dumps([list(arguments), dict(environ), folder]).encode("utf-8", "surrogateescape")
        socket.send_fds(line, [len(request).to_bytes(8, "big")], files)
        line.sendall(request)
        told = line.recv(4)
    assert len(told) == 4, f"{arguments}: ended without a status"
    return int.from_bytes(told, "big", signed=True)


# ---- the loaded process --------------------------------------------------------------------------------------------


def serve() -> None:
    """Load everything, then fork for each that asks, until stdin ends."""
    import select
    from importlib import import_module

    from mailrouter.cli import COMMANDS

    for module in sorted(set(COMMANDS.values()) | {"home"}):
        import_module(f"mailrouter.cli.{module}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(sys.argv[1])
        door.listen(64)
        os.write(1, b"ready\n")
        while True:
            ready, _, _ = select.select([door, 0], [], [])
            if 0 in ready:
                return
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                _answer(line)
            line.close()


def _answer(line: socket.socket) -> None:
    """The command in a child of this child, which can tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, files, _, _ = socket.recv_fds(line, 8, 3)
    size, request = int.from_bytes(head, "big"), b""
    while len(request) < size:
        request += line.recv(1 << 16)
    arguments, environ, folder = json.loads(request.decode("utf-8", "surrogateescape"))
    if (child := os.fork()) == 0:
        line.close()
        _become(files, environ, folder)
        _main(arguments)
    for one in files:
        os.close(one)
    _, ended = os.waitpid(child, 0)
    line.sendall(os.waitstatus_to_exitcode(ended).to_bytes(4, "big", signed=True))
    os._exit(0)


def _become(files: Sequence[int], environ: Mapping[str, str], folder: str) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)


def _main(arguments: Sequence[str]) -> None:
    """As `python -m mailrouter` ends: everything said, then the status."""
    import traceback

    from mailrouter.cli import main

    status: object = 1
    try:
        main(list(arguments), prog_name="mailrouter")
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001 - told and status 1, as the interpreter does it
        traceback.print_exc()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status if isinstance(status, int) else 0 if status is None else 1)


if __name__ == "__main__":
    sys.exit(_ask(sys.argv[1], sys.argv[2:], os.environ, str(Path.cwd()), (0, 1, 2)))
