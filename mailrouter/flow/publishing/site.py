"""Step 2 of publication: the whole site, out of the database, takes the place of the one that readers have.

Promises: it holds the newest decided revision of every case, whatever was built before; built twice, it is the same;
readers have the old one or the new one; no transaction is open while it is built, and none while gpg signs.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.note import Edition
from mailrouter.faults import TryLater
from mailrouter.flow import publisher
from mailrouter.flow.publishing.signing import Signer
from mailrouter.press import folder, site
from mailrouter.store import notes
from mailrouter.tools import Tools

BUILD = "build.json"  # what a build holds: ours, to see whether it is behind
VALID, RENEWED = timedelta(days=330), timedelta(days=60)  # security.txt: for so long; this long before its end, anew


@dataclass(frozen=True, slots=True)
class Built:
    """What a build says of itself."""

    notes: Mapping[int, int]  # VU number -> revision
    house: str  # digest of what every page says of us
    key: str  # the fingerprint it is signed with
    expires: datetime  # of security.txt
    at: datetime


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a build did. `folder`: where it lies, beside the link."""

    folder: Path
    built: Built
    files: int
    kept: int  # of these, as they were
    signed: int  # signatures that were made


class Stopped(TryLater):
    """The build was broken off: we are to end."""


def press(tools: Tools, over: Callable[[], bool] = lambda: False) -> Pressed:
    """Build it, and put it in its place. `Stopped` once `over` says so; `Refused` when its place is taken."""
    ours = publisher.of(tools)
    with folder.building(tools.settings.press.folder) as build:
        editions = site.newest_first(_editions(tools))  # now: whoever built meanwhile had no newer ones
        before = _read(build.before)
        built = Built(
            {one.note.vu: one.number for one in editions}, _house(tools, ours), ours.fingerprint,
            _expires(before, tools.now()), tools.now(),
        )  # fmt: skip
        signer = Signer(tools.pgp, ours.fingerprint, build, same_key=before is not None and before.key == built.key)
        for edition in editions:
            if over():
                raise Stopped
            signer.put(site.of_edition(edition, ours))
        signer.put(site.of_all(editions, ours, tools.pgp.export(ours.fingerprint), built.expires))
        build.put(BUILD, site.as_json(_as_kept(built)))
    return Pressed(build.folder, built, build.kept + build.written, build.kept, signer.made)


def _editions(tools: Tools) -> list[Edition]:
    with tools.db.read() as tx:
        return list(notes.editions(tx))


def newest(tools: Tools) -> Built | None:
    """The build that readers have; None: none that we know."""
    return _read(folder.current(tools.settings.press.folder))


def ahead(tools: Tools) -> str:
    """What readers have and this database never decided: it is older than their site, and may not replace it by itself.
    '' when all is well.
    """
    built = newest(tools)  # before we look what is decided: another node may decide and build meanwhile
    with tools.db.read() as tx:
        published = notes.published(tx)
    newer = sorted(vu for vu, number in built.notes.items() if number > published.get(vu, 0)) if built else []
    which = ", ".join(f"VU#{vu}" for vu in newer)
    return (
        f"it holds revisions of {which} that this database has not decided: is that an older backup?" if which else ""
    )


def behind(tools: Tools, now: datetime) -> str:
    """Why the site must be built again; '' when it need not be. Nothing published, nothing to build."""
    if why := ahead(tools):
        return why
    with tools.db.read() as tx:
        published = notes.published(tx)
    if not published:
        return ""
    built = newest(tools)
    if built is None:
        return "there is no site yet"
    if dict(built.notes) != published:
        return "a note was published that is not in it"
    if built.expires - now < RENEWED:
        return "its security.txt expires soon"
    return "we, our key or this program have changed" if built.house != _house(tools, publisher.of(tools)) else ""


# ---- what a build says of itself -------------------------------------------------------------------------------------


def _house(tools: Tools, ours: Publisher) -> str:
    """All that pages say of us and how they look: when it changes, each of them does."""
    said = asdict(ours) | {"key_expires": str(tools.pgp.signing_key(ours.fingerprint).expires)}
    return sha256(json.dumps(said, sort_keys=True).encode() + site.made_by()).hexdigest()


def _expires(before: Built | None, now: datetime) -> datetime:
    """The date that was given stands while it is far away, so that the file and its signature do."""
    if before is not None and RENEWED <= before.expires - now <= VALID:
        return before.expires
    return (now + VALID).replace(hour=0, minute=0, second=0, microsecond=0)


def _as_kept(built: Built) -> dict[str, object]:
    times = {"expires": built.expires.isoformat(), "at": built.at.isoformat()}
    return asdict(built) | {"notes": {str(vu): number for vu, number in sorted(built.notes.items())}} | times


def _read(build: Path | None) -> Built | None:
    """None for a build of a program that kept something else, too."""
    content = folder.read(build, BUILD) if build else None
    try:
        raw = json.loads(content or b"{}")
        times = (datetime.fromisoformat(raw["expires"]), datetime.fromisoformat(raw["at"]))
        return Built({int(vu): number for vu, number in raw["notes"].items()}, raw["house"], raw["key"], *times)
    except (KeyError, ValueError):
        return None
