"""Signed copies of what is published. What did not change keeps the signature it has: a second build costs no gpg.

Promises: every file has its signature beside it, by our key alone: `NAME.asc`; a text that people read is signed with
the signature around it; nothing is signed in a transaction.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from mailrouter.pgp import Pgp
from mailrouter.press import site
from mailrouter.press.folder import Build
from mailrouter.press.site import Files

AT_ONCE = 4  # gpg processes: each waits for the agent most of its time


class Signer:
    """Puts files and their signatures into a build. `same_key`: the build before is signed with this key too."""

    def __init__(self, pgp: Pgp, fingerprint: str, build: Build, *, same_key: bool) -> None:
        self._pgp, self._fingerprint, self._build, self._same_key = pgp, fingerprint, build, same_key
        self.made = 0  # signatures

    def put(self, files: Files) -> None:
        """All that are not there yet (of two notes with one CVE ID, the first has its record); the signatures of what
        changed are made side by side.
        """
        missing: list[tuple[str, bytes]] = []
        for path, content in files.items():
            if path in self._build:
                continue
            kept = self._kept(path, content)
            for name, whole in kept:
                self._build.put(name, whole)
            if not kept:
                missing.append((path, content))
        for name, whole in self._signed(missing):
            self._build.put(name, whole)

    def _kept(self, path: str, content: bytes) -> Sequence[tuple[str, bytes]]:
        """The file with its signature as the build before has them; nothing when it must be signed."""
        if path in site.UNSIGNED:
            return [(path, content)]
        if not self._same_key:
            return []
        if path in site.SIGNED_WITHIN:
            was = self._build.was(path)
            return [(path, was)] if was and content in was else []
        signature = self._build.was(f"{path}.asc") if self._build.was(path) == content else None
        return [(path, content), (f"{path}.asc", signature)] if signature else []

    def _signed(self, files: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Two paths with the same content have the same signature: it is made once."""
        wanted = list(dict.fromkeys((site.is_text(path), content) for path, content in files))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = dict(zip(wanted, pool.map(lambda one: self._sign(*one), wanted), strict=True))
        self.made += len(made)
        for path, content in files:
            signature = made[site.is_text(path), content]
            if path in site.SIGNED_WITHIN:
                yield path, signature
            else:
                yield from ((path, content), (f"{path}.asc", signature))

    def _sign(self, text: bool, content: bytes) -> bytes:  # noqa: FBT001 - a key of `made`
        sign = self._pgp.sign_around if text else self._pgp.sign_detached
        return sign(content, self._fingerprint)
