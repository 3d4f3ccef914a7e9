"""A note as `note list` and `note show` give it: for people on 100 columns, and as JSON of stable keys."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from mailrouter import faults
from mailrouter.case.model import Case
from mailrouter.cli import given, show
from mailrouter.cli.shapes import Shape
from mailrouter.store.notes import Approval, Override, Revision


def which(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name a draft."""
    for option in (
        click.option("--draft", type=given.ID, help="This draft of the revision; else its newest."),
        click.option("--revision", type=given.ID, help="This revision; else the newest."),
    ):
        command = option(command)
    return command


def state(one: Revision) -> str:
    """`draft`, `decided` (readers may not have it yet) or `published`."""
    if one.decided_at is None:
        return "draft"
    return "published" if one.released_at else "decided"


def line(case: Case, one: Revision, approvals: Iterable[Approval]) -> Shape:
    """One of `note list`."""
    return {
        "vu": show.number(case.vu), "title": one.note.sections.title, "revision": one.number, "draft": one.draft,
        "state": state(one), "sha256": one.sha256, "made_at": one.made_at, "made_by": one.made_by,
        "written_by": one.written_by, "why": one.why, "cause": one.cause or None, "decided_at": one.decided_at,
        "decided_by": one.decided_by or None, "emergency": one.emergency or None, "released_at": one.released_at,
        "approvals": [{"analyst": a.analyst, "at": a.at, "sha256": a.sha256} for a in approvals],
    }  # fmt: skip


def row(one: Shape) -> tuple[object, ...]:
    """The same for people."""
    approvals = one["approvals"]
    assert isinstance(approvals, list)
    by = ", ".join(a["analyst"] for a in approvals)
    name = f"{one['revision']}, draft {one['draft']}" if one["state"] == "draft" else one["revision"]
    title = show.short(str(one["title"]), 32)
    return one["vu"], title, name, one["state"], one["made_at"], show.short(by, 16)


def shape(case: Case, one: Revision, approvals: Sequence[Approval], overrides: Sequence[Override]) -> Shape:
    """`note show`."""
    return {
        **line(case, one, approvals),
        "overrides": [{"condition": o.condition, "why": o.why, "by": o.by, "at": o.at} for o in overrides],
        "unmet": None,
        "recommended": None,
        "text": one.text,
        "note": one.note,
    }


def show_note(case: Case, one: Revision, shown: Shape, as_read: str) -> None:
    """For people. `as_read`: the whole of it, as its readers get it: what is approved is what is seen."""
    click.echo(f"VU#{case.vu}  {show.short(one.note.sections.title, 84)}")
    overrides = shown["overrides"]
    assert isinstance(overrides, list)
    show.fields(
        (
            (one.name, state(one)),
            ("made", f"{show.when(one.made_at)} by {one.made_by}"),
            ("text by", one.written_by if one.written_by != one.made_by else ""),
            ("why", one.why),
            ("proposed by", one.cause),
            ("SHA-256", one.sha256),
            ("vendors", len(one.note.vendors)),
            ("decided", f"{show.when(one.decided_at)} by {one.decided_by}" if one.decided_at else ""),
            ("in an emergency", one.emergency),
            ("released", one.released_at),
            *(("overridden", f"{o['condition']} by {o['by']}: {o['why']}") for o in overrides),
            *_approved(shown),
            ("unmet", _unmet(shown)),
            ("SSVC recommends", shown["recommended"]),
        )
    )
    click.echo()
    show.block(as_read)


def _unmet(shown: Shape) -> str:
    names = shown["unmet"]
    if names is None:
        return ""
    assert isinstance(names, list)
    return f"{', '.join(names)}; `mailrouter note gate` says what to do" if names else "nothing: it may be published"


def _approved(shown: Shape) -> list[tuple[str, object]]:
    approvals = shown["approvals"]
    assert isinstance(approvals, list)
    return [("approved", f"{show.when(a['at'])} by {a['analyst']}") for a in approvals] or [("approved", "by nobody")]


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put them below a folder that is empty or not there; only its owner may look into it. `Refused` elsewhere."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise faults.Refused(f"{folder}: there is something in it; name another folder")
        folder.chmod(0o700)  # one that was there already may have been open to others
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    except OSError as trouble:
        raise faults.Refused(f"{folder}: cannot be written to ({trouble.strerror})") from None
