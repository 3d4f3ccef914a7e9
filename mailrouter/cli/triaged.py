"""A report as programs read it, and as people do: what to do next first, then what its reporter wrote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from mailrouter.case import cvss, ssvc, triage
from mailrouter.case.model import Deadline, Report
from mailrouter.case.triage import Advice
from mailrouter.cli import shapes, show
from mailrouter.cli.shapes import Shape
from mailrouter.flow.reports.desk import Like, Line
from mailrouter.flow.reports.reported import Read
from mailrouter.mail import reportform
from mailrouter.store.messages import Message

STATES = {
    "START": "number only", "RECEIVED": "waits", "VALID": "waits", "ACCEPTED": "accepted", "INVALID": "declined",
    "DEFERRED": "declined", "CLOSED": "closed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """All that `report show` shows."""

    line: Line
    read: Read
    messages: Sequence[Message]
    deadlines: Sequence[Deadline]
    original: Report | None  # what it repeats


def state(report: Report) -> str:
    """A report's state in a word."""
    return STATES[report.rm]


# ---- for programs ----------------------------------------------------------------------------------------------------


def line(one: Line) -> Shape:
    """One of `report list`."""
    it = one.report
    return {
        "vrf": it.vrf, "rm": it.rm, "state": state(it), "title": it.title, "from": it.address, "source": it.source,
        "received_at": it.received_at, "decision_due_at": None if one.asked else one.due_at,
        "answer_due_at": one.due_at if one.asked else None, "waiting_on": _turn(one), "public": it.public or None,
        "exploited": it.exploited or None, "cvss": it.cvss or None, "score": _number(it.score),
        "below_threshold": one.low, "ssvc": ssvc_of(it), "recommendation": _advice(one.advice),
        "like": [_like(like) for like in one.likes], "vu": show.number(one.vu), "decided_at": it.decided_at,
        "decided_by": it.decided_by or None, "reason": it.reason or None,
    }  # fmt: skip


def report(page: Page) -> Shape:
    """`report show`."""
    it, read = page.line.report, page.read
    scored = cvss.read(it.cvss) if it.cvss else None
    return {
        **line(page.line),
        "base_score": _number(scored.base if scored else None),
        "environmental_score": _number(scored.environmental if scored else None),
        "credit": it.credit, "share_name": it.share_name, "why": it.why or None,
        "duplicate_of": page.original.vrf if page.original else None,
        "form": dict(read.filled.fields), "text": read.filled.free, "trouble": read.trouble,
        "attachments": [{"name": f.name, "type": f.media_type, "size": len(f.content)} for f in read.files],
        "messages": [shapes.message(one) for one in page.messages],
        "deadlines": [
            {"kind": str(d.kind), "rung": d.rung, "due_at": d.due_at, "done_at": d.done_at, "outcome": d.outcome}
            for d in page.deadlines
        ],
        "next": list(_next(page.line)),
    }  # fmt: skip


def ssvc_of(it: Report) -> Shape:
    """The answers that are known, what they recommend, and the questions that may still change it."""
    known = triage.answers(it)
    possible, missing = ssvc.possible(known), ssvc.missing(known)
    found = None if missing else ssvc.recommend(ssvc.Answers(**known))
    settled = possible[0] if len(possible) == 1 else None
    return {
        "answers": known, "decision": str(settled) if settled else None, "rule": found.rule if found else None,
        "reasons": list(found.reasons) if found else [], "open": missing,
    }  # fmt: skip


def _turn(one: Line) -> str:
    if not triage.undecided(one.report):
        return "nobody"
    return "them" if one.asked else "us"


def _number(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10


def _advice(advice: Advice) -> Shape:
    return {
        "decision": advice.decision or None, "reasons": list(advice.reasons), "decline_as": advice.decline_as or None,
    }  # fmt: skip


def _like(like: Like) -> Shape:
    return {
        "vrf": like.vrf or None, "vu": show.number(like.vu), "title": like.title, "percent": like.percent,
        "by": like.by,
    }  # fmt: skip


# ---- for people ------------------------------------------------------------------------------------------------------


def show_report(page: Page) -> None:
    """All of it."""
    _head(page)
    _decision(page)
    _likes(page.line)
    _form(page.read)
    _correspondence(page.messages)
    click.echo("\nNext:")
    for command in _next(page.line):
        click.echo(f"  {show.cell(command)}")


def _head(page: Page) -> None:
    it, one = page.line.report, page.line
    click.echo(f"{it.vrf}  {show.short(it.title, 80)}")
    said = [state(it) + (f" as VU#{one.vu}" if one.vu else ""), f"received {show.when(it.received_at)}"]
    if one.due_at is not None:
        said.append(f"{'the reporter was asked; answer' if one.asked else 'decision'} due {show.when(one.due_at)}")
    if it.decided_at is not None:
        what = f" ({it.reason}{f' of {page.original.vrf}' if page.original else ''})" if it.reason else ""
        said.append(f"decided {show.when(it.decided_at)} by {it.decided_by}{what}")
    click.echo(show.visible("; ".join(said)))
    show.fields(
        [("From", it.address or "typed in, no address"), ("Why", it.why), ("Exploited", it.exploited),
         ("Public", it.public), ("May be named", _named(it))]
    )  # fmt: skip


def _named(it: Report) -> str:
    vendors = "to vendors" if it.share_name else "not to vendors"
    return f"{vendors}, {'in the note' if it.credit else 'not in the note'}"


def _decision(page: Page) -> None:
    it = page.line.report
    click.echo("\nScore")
    if it.cvss:
        scored = cvss.read(it.cvss)
        environmental = (
            f", environmental {cvss.shown(scored.environmental)}" if scored.environmental is not None else ""
        )
        low = "; below the threshold" if page.line.low else ""
        click.echo(f"  CVSS {scored.version} base {cvss.shown(scored.base)}{environmental}{low}")
        click.echo("  " + show.short(it.cvss, 98))
        if scored.lacks:
            click.echo(f"  {scored.lacks}")
    else:
        click.echo("  none yet")
    known = triage.answers(it)
    answered = ", ".join(f"{question.replace('_', ' ')}: {answer}" for question, answer in known.items())
    click.echo(f"SSVC\n  {answered or 'nothing answered yet'}")
    if not ssvc.missing(known):
        found = ssvc.recommend(ssvc.Answers(**known))
        click.echo(f"  {found.decision} by rule {found.rule}: {'; '.join(found.reasons)}")
    click.echo(f"Recommended\n  {advised(page.line.advice)}")


def advised(advice: Advice) -> str:
    """A recommendation in words."""
    open_ = ", ".join(question.replace("_", " ") for question in advice.open)
    if not advice.decision:
        return f"nothing yet; open: {open_}"
    as_ = f" ({advice.decline_as})" if advice.decline_as else ""
    return f"{advice.decision}{as_}: {'; '.join(advice.reasons)}"


def _likes(one: Line) -> None:
    for number, like in enumerate(one.likes):
        if number == 0:
            click.echo("\nLooks like")
        what = " ".join(filter(None, (like.vrf, f"VU#{like.vu}" if like.vu else "")))
        click.echo("  " + show.short(f"{what}, {like.percent}% of the {_by(like)}: {like.title}", 98))


def _by(like: Like) -> str:
    return "title" if like.by == "title" else "words"


def _form(read: Read) -> None:
    if read.trouble:
        click.echo(f"\nThe mail cannot be opened now: {show.cell(read.trouble)}")
    for name, text in read.filled.fields.items():
        click.echo(f"\n{reportform.FIELDS[name][0].capitalize()}")
        show.block(text)
    if read.filled.free:
        click.echo("\nFree text" if read.filled.fields else "\nText")
        show.block(read.filled.free)
    for number, one in enumerate(read.files):
        if number == 0:
            click.echo("\nAttachments")
        click.echo("  " + show.short(f"{one.name} ({one.media_type}, {len(one.content)} bytes)", 98))


def _correspondence(found: Sequence[Message]) -> None:
    click.echo("\nMessages")
    headers = ("id", "when (UTC)", "", "from", "what we know", "subject")
    rows = [
        (m.id, m.received_at, "->" if m.direction == "out" else "<-", show.short(m.sender, 24),
         _known(m), show.short(m.subject, 28))
        for m in found
    ]  # fmt: skip
    show.table(headers, rows, "None.")


def _known(one: Message) -> str:
    if one.direction == "out":
        return one.kind
    kind = "" if one.kind == "person" else f"{one.kind}, "
    return kind + one.standing + (", encrypted" if one.encrypted else "")


def _next(one: Line) -> Iterator[str]:
    """What helps most first."""
    it = one.report
    short = it.vrf.removeprefix("VRF#")
    if it.rm == "START":
        yield f"mailrouter report take {it.message_id}"
        return
    if not triage.undecided(it):
        yield from [f"mailrouter case show VU#{one.vu}"] if one.vu else []
        yield from [f"mailrouter report accept {short}"] if it.rm in ("INVALID", "DEFERRED") else []
        return
    if it.score is None:
        yield f"mailrouter report score {short} --cvss AV:…/CDP:…/TD:…"
    if one.advice.open:
        asked = " ".join(f"--{question.replace('_', '-')} …" for question in one.advice.open[:2])
        yield f"mailrouter report score {short} {asked}"
    yield from _decisions(one, short)


def _decisions(one: Line, short: str) -> Iterator[str]:
    like = next((like for like in one.likes if like.by == "words"), None)
    duplicate = [f"mailrouter report decline {short} --reason duplicate --of {like.vrf}"] if like else []
    accept, ask = f"mailrouter report accept {short}", f"mailrouter report ask {short}"
    reason = one.advice.decline_as or "…"
    decline = f"mailrouter report decline {short} --reason {reason}"
    yield from duplicate
    yield from (decline, ask, accept) if one.advice.decision == str(ssvc.Decision.DECLINE) else (accept, ask, decline)
