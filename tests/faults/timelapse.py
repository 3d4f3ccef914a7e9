"""Another clock for a daemon, by libfaketime: faster, or set while it runs (testbook/faults.md R16)."""

from pathlib import Path

from tests.servers.wait import refuse_or_skip


def faked(how: str) -> dict[str, str]:
    """The environment for a start under this clock, as faketime(1) writes it: `+0 x60` is sixty times as fast."""
    return {"LD_PRELOAD": _library(), "FAKETIME": how}


class Clock:
    """The time of day of one daemon, away from the real one; monotonic clocks go on as they are."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faketime"
        self.set("+0")
        self.environ = {
            "LD_PRELOAD": _library(), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip

    def set(self, offset: str) -> None:
        """So far from the real time: `+10y`, `-1h`."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset}\n")
        new.replace(self._file)  # never seen half-written


def _library() -> str:
    found = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    return str(found or refuse_or_skip("libfaketime (Debian package faketime)"))
