"""A reader of the published folder: stock libraries, plain gpg, and a search for who is not to be in it."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import feedparser
from cvelib.cve_api import CveRecord

from tests.journey.people import Gnupg

SIGNATURE = ".asc"
CLEARTEXT = b"-----BEGIN PGP SIGNED MESSAGE-----"


class Site:
    """What readers have now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> dict[str, bytes]:
        """Every file, by its path."""
        top = self.folder.resolve()
        return {str(one.relative_to(top)): one.read_bytes() for one in sorted(top.rglob("*")) if one.is_file()}

    def text(self, path: str) -> str:
        """One of them."""
        return (self.folder / path).read_text("utf-8")

    def page(self, vu: int) -> str:
        """The note as a page, its mark-up taken away."""
        bare = re.sub(r"(?s)<(style|script).*?</\1>|<[^>]+>", " ", self.text(f"vuls/id/{vu}/index.html"))
        return " ".join(bare.split())

    def json(self, path: str) -> Any:
        """A file for machines."""
        return json.loads(self.text(path))

    # ---- what stock tools say of it ------------------------------------------------------------------------------

    def parses(self) -> None:
        """The feed by feedparser, every JSON by the standard library, every CVE record by its schema."""
        (feed,) = [path for path in self.files() if re.fullmatch(r".*(feed|atom)[^/]*", path) and SIGNATURE not in path]
        read = feedparser.parse(self.text(feed))
        assert not read.bozo, read.get("bozo_exception")
        assert read.entries
        for path, content in self.files().items():
            if path.endswith(".json"):
                document = json.loads(content)
                if isinstance(document, dict) and document.get("dataType") == "CVE_RECORD":
                    CveRecord.validate(document["containers"]["cna"])

    def verifies(self, reader: Gnupg, fingerprint: str) -> int:
        """Every signature, by plain gpg with the key that the site itself gives; how many there are."""
        reader.knows((self.folder / "key.asc").read_bytes())
        files = self.files()
        for path, content in self._signed(files):
            done = reader.run("--status-fd", "1", "--verify", *content)
            assert f" {fingerprint}" in next(
                line for line in done.stdout.decode().splitlines() if "VALIDSIG" in line
            ), path
        return len(list(self._signed(files)))

    def _signed(self, files: dict[str, bytes]) -> Iterator[tuple[str, list[Path]]]:
        for path, content in files.items():
            whole = self.folder / path
            if content.startswith(CLEARTEXT):
                yield path, [whole]
            elif path.endswith(SIGNATURE) and path.removesuffix(SIGNATURE) in files:
                yield path, [whole, self.folder / path.removesuffix(SIGNATURE)]

    def names(self, secrets: Collection[str]) -> list[tuple[str, str]]:
        """Where it names any of these, however it is wrapped."""
        flat = {path: _flat(content) for path, content in self.files().items() if not path.endswith(SIGNATURE)}
        return [(path, one) for path, content in flat.items() for one in secrets if _flat(one.encode()) in content]


def _flat(content: bytes) -> str:
    return re.sub(r"\s+", "", content.decode("utf-8", "replace")).casefold()
