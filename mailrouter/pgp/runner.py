"""One gpg process, held on a short leash: what it says about a signature or a message, or `TryLater`.

Promises: the status lines come over a pipe of their own, as bytes; input goes through memory files, so nothing is left
on a disk; the process has its own session, and whatever is left of it is killed when the time is up; every output has
a cap; a core file is never written. Linux only (memfd, pidfd, prlimit).
"""

import os
import re
import resource
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO

from mailrouter.faults import TryLater

MAX_OUTPUT = 26_214_400  # bytes of plaintext; the testbook's --max-output
MAX_STATUS = 1_048_576  # bytes; notations of 64 kB come percent-escaped (P16)
MAX_MEMORY = 1 << 30  # bytes of address space
_CHUNK = 65_536
# gpg may say so after a whole signature, and end as it does for a bad one. No user id: those stand in quotes.
_NO_MEMORY = re.compile(
    rb"^gpg: [^\"\n]{0,200}(?:[Cc]an(?:no|')t allocate|[Oo]ut of (?:core|memory|secure memory))", re.MULTILINE
)
_VERSION = re.compile(rb"gpg \([^\n)]{1,40}\) ([0-9][0-9A-Za-z.+~-]{0,39})")  # the first line of --version
_LEGAL_EXITS = frozenset({0, 1, 2})  # gpg has no others; 126, 127 and the like are a broken installation

OPTIONS = (
    "--no-options", "--batch", "--no-tty", "--no-auto-key-retrieve", "--disable-dirmngr", "--no-auto-key-locate",
    "--weak-digest", "SHA1", "--weak-digest", "RIPEMD160", "--max-output", str(MAX_OUTPUT), "--trust-model", "always",
    "--no-autostart", "--enable-special-filenames",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Ran:
    """What came out. `overflow`: an output went beyond its cap and gpg was killed for it: the input's doing."""

    status: bytes
    output: bytes
    code: int
    overflow: bool = False


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs `program` on one GNUPGHOME. `limit`: wall-clock seconds for one run."""

    program: str
    home: str
    limit: float = 30.0

    def verify(self, signature: bytes, signed: bytes, keyring: str) -> Ran:
        """A detached signature over `signed`. Always two files: with one, gpg guesses what was meant (P31)."""
        return self._run(("--verify",), (signature, signed), keyring, passphrase=None, output=False)

    def decrypt(self, message: bytes, keyring: str, passphrase: bytes | None) -> Ran:
        """A message or a cleartext-signed block: its plaintext in `output`, which proves nothing without the status."""
        return self._run(("--decrypt",), (message,), keyring, passphrase=passphrase, output=True)

    def unwrap(self, message: bytes, keyring: str, passphrase: bytes | None) -> Ran:
        """An encrypted message: the OpenPGP message within it in `output`, its signature untouched and unverified."""
        return self._run(("--unwrap", "--decrypt"), (message,), keyring, passphrase=passphrase, output=True)

    def version(self) -> str:
        """What this gpg calls itself: '2.2.40'. Asked once in a process. Raises TryLater."""
        return _version(self.program, self.limit)

    def _run(
        self, command: Sequence[str], files: Sequence[bytes], keyring: str, *, passphrase: bytes | None, output: bool
    ) -> Ran:
        """Run one gpg command over `files` with exactly the keys of `keyring`.

        Raises TryLater when gpg is missing, hangs, is killed, or ends as gpg never does, and when we have no memory or
        descriptors for it: then nothing is known.
        """
        try:
            return self._held(command, files, keyring, passphrase=passphrase, output=output)
        except OSError as trouble:
            raise TryLater("there is no memory, or no file descriptor, for gpg") from trouble

    def _held(
        self, command: Sequence[str], files: Sequence[bytes], keyring: str, *, passphrase: bytes | None, output: bool
    ) -> Ran:
        with ExitStack() as held:
            inputs = [_memory_file(held, content) for content in files]
            passed = inputs if passphrase is None else [*inputs, _memory_file(held, passphrase)]
            pinentry = ("error",) if passphrase is None else ("loopback", "--passphrase-fd", str(passed[-1]))
            status, status_end = _pipe(held)
            arguments = [
                self.program, "--homedir", self.home, *OPTIONS, "--pinentry-mode", *pinentry,
                "--no-default-keyring", "--keyring", keyring, "--status-fd", str(status_end.fileno()),
                *command, "--", *(f"-&{number}" for number in inputs),
            ]  # fmt: skip
            process = held.enter_context(_start(arguments, [*passed, status_end.fileno()], output=output))
            status_end.close()
            return _watch(process, status, self.limit)


@lru_cache(maxsize=4)
def _version(program: str, limit: float) -> str:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        said = subprocess.run(
            [program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=True,
            env=environment,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError) as trouble:
        raise TryLater("gpg does not say its version") from trouble
    found = _VERSION.match(said)
    if found is None:
        raise TryLater("gpg does not say its version")
    return found[1].decode("ascii")


def _memory_file(held: ExitStack, content: bytes) -> int:
    number = os.memfd_create("mail", os.MFD_CLOEXEC)
    held.callback(os.close, number)
    view = memoryview(content)
    while view:
        view = view[os.write(number, view) :]
    os.lseek(number, 0, os.SEEK_SET)
    return number


def _pipe(held: ExitStack) -> tuple[int, IO[bytes]]:
    """A pipe: the reading end, and the writing end, which has to be closed once the child has it."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    held.callback(os.close, reading)
    return reading, held.enter_context(os.fdopen(writing, "wb", buffering=0))


def _start(arguments: list[str], passed: Sequence[int], *, output: bool) -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output else subprocess.DEVNULL,
            stderr=subprocess.PIPE,  # words for people, mixed with a stranger's: read for _NO_MEMORY alone
            bufsize=0,
            pass_fds=passed,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as trouble:
        raise TryLater("gpg cannot be started") from trouble
    with suppress(ProcessLookupError):  # already over
        # From outside: a preexec_fn would cost Popen its vfork, and half of a bare gpg's time.
        memory = _most_memory()
        resource.prlimit(process.pid, resource.RLIMIT_AS, (memory, memory))
        # The hard limit stays: gpg sets what it found at its start, and dies if that was lowered in between.
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return process


def _most_memory() -> int:
    """Our limit for gpg, or the one we have ourselves: only root may raise that."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    return MAX_MEMORY if hard == resource.RLIM_INFINITY else min(hard, MAX_MEMORY)


def _watch(process: subprocess.Popen[bytes], status: int, limit: float) -> Ran:
    """Collect both outputs until both are closed and the process is over; then leave nothing of its group alive."""
    sinks = {status: _Sink(MAX_STATUS)}
    words = _Sink(MAX_STATUS)
    if process.stderr is not None:
        sinks[process.stderr.fileno()] = words
    output = _Sink(MAX_OUTPUT)
    if process.stdout is not None:
        sinks[process.stdout.fileno()] = output
    try:
        overflow = not _collect(process.pid, sinks, limit)
    finally:
        # Not yet waited for, so the group's number cannot have become another's.
        os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    if not overflow and code not in _LEGAL_EXITS:
        raise TryLater("gpg was killed" if code < 0 else "gpg ended in a way it never should")
    if code != 0 and _NO_MEMORY.search(words.content):
        raise TryLater("gpg had no memory for its work")
    return Ran(bytes(sinks[status].content), bytes(output.content), code, overflow)


@dataclass(slots=True, repr=False)
class _Sink:
    most: int
    content: bytearray = field(default_factory=bytearray)


def _collect(pid: int, sinks: dict[int, _Sink], limit: float) -> bool:
    """False as soon as an output is larger than allowed. TryLater when the time is up."""
    deadline = time.monotonic() + limit
    over = os.pidfd_open(pid)
    poll = select.poll()
    waiting = {over, *sinks}
    for number in waiting:
        poll.register(number, select.POLLIN)
    try:
        while waiting:
            ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not ready:
                raise TryLater(f"gpg took longer than {limit:g} seconds")
            for number, _ in ready:
                chunk = os.read(number, _CHUNK) if number in sinks else b""
                if not chunk:
                    poll.unregister(number)
                    waiting.remove(number)
                    continue
                sinks[number].content += chunk
                if len(sinks[number].content) >= sinks[number].most:  # gpg itself stops exactly there
                    return False
        return True
    finally:
        os.close(over)
