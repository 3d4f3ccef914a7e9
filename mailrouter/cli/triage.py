"""`mailrouter report list|show|score|ask|accept|decline`: deciding about vulnerability reports.

The commands stand in the group of `report.py`; what they show of a mail is opened anew each time and kept nowhere.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import cvss, decline, ssvc
from mailrouter.case.triage import answers
from mailrouter.cli import draft, given, show, triaged
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.filing import look
from mailrouter.flow.reports import accept as accepting
from mailrouter.flow.reports import decline as declining
from mailrouter.flow.reports import desk, reported
from mailrouter.flow.reports import triage as deciding
from mailrouter.store import messages, outbox, reports

HOUR = timedelta(hours=1)
YES_OR_NO = click.Choice(["yes", "no"])


# ---- looking ---------------------------------------------------------------------------------------------------------


@click.command("list", epilog=examples("mailrouter report list", "mailrouter report list --all --json"))
@click.option("--all", "everything", is_flag=True, help="Those that were decided too.")
@as_json
@here
def listing(context: Here, everything: bool, json_: bool) -> None:
    """Reports that wait for a decision: exploited ones first, then public ones, then by score, then by age."""
    policy = context.settings.policy
    with context.db.read() as tx:
        found = desk.lines(tx, policy, everything=everything)
    if json_:
        return show.show_json([triaged.line(one) for one in found])
    headers = ("VRF#", "received", "due", "score", "SSVC", "title", "from", "looks like")
    show.table(headers, [_row(one, context.now) for one in found], "No report waits for a decision.")
    if any(_mark(one) for one in found):
        show.said("X: exploited, P: public, by its reporter's word or yours")
    if any(one.low for one in found):
        show.said(f"<: below the threshold, {policy.score_threshold} (policy.score_threshold)")
    return None


def _row(one: desk.Line, now: datetime) -> tuple[object, ...]:
    report = one.report
    return (
        report.vrf.removeprefix("VRF#"), f"{report.received_at:%m-%d}{_mark(one)}", _due(one, now),
        cvss.shown(report.score) + (" <" if one.low else ""), _ssvc(one), show.short(report.title, 16),
        show.short(report.address, 12), _like(one),
    )  # fmt: skip


def _mark(one: desk.Line) -> str:
    """What makes it urgent: exploited, public."""
    return " X" if one.report.exploited == "yes" else " P" if one.report.public == "yes" else ""


def _due(one: desk.Line, now: datetime) -> str:
    if one.due_at is None:
        return triaged.state(one.report)
    hours = round((one.due_at - now) / HOUR)
    when = f"{abs(hours)} h" if abs(hours) < 72 else f"{abs(hours) // 24} d"
    return f"{'asked, ' if one.asked else ''}{when}{' late' if hours < 0 else ''}"


def _ssvc(one: desk.Line) -> str:
    known = answers(one.report)
    possible = ssvc.possible(known)
    return str(possible[0]) if len(possible) == 1 else f"{len(ssvc.missing(known))} open"


def _like(one: desk.Line) -> str:
    if one.vu is not None:
        return f"is VU#{one.vu}"
    like = next(iter(one.likes), None)
    if like is None:
        return ""
    return f"{f'VU#{like.vu}' if like.vu else like.vrf.removeprefix('VRF#')} {like.percent}%"


@click.command("show", epilog=examples("mailrouter report show VRF#26-11-BCDFG"))
@given.vrf_argument
@as_json
@here
def one(context: Here, vrf: str, json_: bool) -> None:
    """A report: what to do next, what its reporter wrote, its score, what it looks like, its mails."""
    with context.db.read() as tx:
        report = reports.by_vrf(tx, vrf)
        line = desk.line(tx, context.settings.policy, report)
        found, clocks = desk.correspondence(tx, report), reports.deadlines_of(tx, report.id)
        original = reports.get(tx, report.duplicate_of_id) if report.duplicate_of_id else None
    read = reported.read(context.tools, report)
    page = triaged.Page(line, read, found, clocks, original)
    return show.show_json(triaged.report(page)) if json_ else triaged.show_report(page)


# ---- finding out -------------------------------------------------------------------------------------------------


@click.command(
    "score",
    epilog=examples(
        "mailrouter report score VRF#26-11-BCDFG --cvss AV:N/AC:L/Au:N/C:P/I:P/A:P/CDP:L/TD:M",
        "mailrouter report score 26-11-BCDFG --credible yes --utility efficient --safety minimal",
    ),
)
@given.vrf_argument
@click.option("--cvss", "vector", help="The vector, version 2 (with its environmental metrics), 3.x or 4.0.")
@click.option("--exploited", type=YES_OR_NO, help="Is it used in attacks?")
@click.option("--public", type=YES_OR_NO, help="SSVC: is it public already?")
@click.option("--supplier-contacted", type=YES_OR_NO, help="SSVC: has the reporter told the vendor?")
@click.option("--credible", type=YES_OR_NO, help="SSVC: is the report credible?")
@click.option("--suppliers", type=click.Choice(ssvc.QUESTIONS["suppliers"]), help="SSVC: how many vendors?")
@click.option("--engagement", type=click.Choice(ssvc.QUESTIONS["engagement"]), help="SSVC: the vendor's.")
@click.option("--utility", type=click.Choice(ssvc.QUESTIONS["utility"]), help="SSVC: of an exploit to attackers.")
@click.option("--safety", type=click.Choice(ssvc.QUESTIONS["safety"]), help="SSVC: impact on the public's safety.")
@here
def score(context: Here, /, vrf: str, vector: str | None, exploited: str | None, **given_: str | None) -> None:
    """Score it, and answer SSVC's questions; what the reporter's form says stands until you say otherwise."""
    said = {question: answer for question, answer in given_.items() if answer}
    if not (vector or exploited or said):
        raise click.UsageError("give --cvss VECTOR, or an answer such as --credible yes")
    scored = deciding.score(context.tools, context.actor, vrf, vector or "", said, exploited or "")
    with context.db.read() as tx:
        line = desk.line(tx, context.settings.policy, scored)
    if vector and (lacks := cvss.read(vector).lacks):
        show.said(lacks)
    if scored.score is not None:
        low = ", below the threshold" if line.low else ""
        click.echo(f"{vrf}: CVSS {cvss.shown(scored.score)}{low}")
    click.echo(f"{vrf}: {triaged.advised(line.advice)}")


@click.command(
    "ask", epilog=examples("mailrouter report ask VRF#26-11-BCDFG", "mailrouter report ask 26-11-BCDFG --file q.txt")
)
@given.vrf_argument
@click.option("--file", type=given.FILE, help="The questions, UTF-8; - is stdin. Without it: $EDITOR.")
@click.option("--confidential", is_flag=True, help="Never in clear: held when there is no usable key.")
@click.option("--yes", is_flag=True, help="Do not ask before it is queued.")
@here
def ask(context: Here, vrf: str, file: Path | None, confidential: bool, yes: bool) -> None:
    """Ask its reporter; no decision is due until they answer."""
    with context.db.read() as tx:
        report = deciding.undecided(tx, reports.by_vrf(tx, vrf))
    quoted, secret = _quoted(context, report.message_id) if file is None else ("", False)
    written = draft.letter(draft.Wanted(file, (), confidential, True, yes), report.address, quoted, secret=secret)
    letter_id = deciding.ask(context.tools, context.actor, vrf, written)
    with context.db.read() as tx:
        state, named = outbox.get(tx, letter_id).state, _named(tx, letter_id)
    click.echo(f"{vrf}: {named} to its reporter is {state}")


def _quoted(context: Here, message_id: int | None) -> tuple[str, bool]:
    return draft.quoted(look.at(context.tools, message_id)) if message_id is not None else ("", False)


def _named(tx: Connection, letter_id: int) -> str:
    return show.letter(letter_id, messages.of_letters(tx, [letter_id]).get(letter_id))


# ---- deciding ----------------------------------------------------------------------------------------------------


@click.command(
    "accept",
    epilog=examples(
        "mailrouter report accept VRF#26-11-BCDFG", "mailrouter report accept 26-11-BCDFG --title 'Overflow in libfoo'"
    ),
)
@given.vrf_argument
@click.option("--title", type=given.LINE, help="The case's; else the report's.")
@click.option("--vu", type=given.VU, help="This number instead of a random one.")
@click.option("--analyst", type=given.LINE, help="Who owns the case; else you, if you are an analyst.")
@click.option("--urgent", is_flag=True)
@click.option("--vendor", is_flag=True, help="The reporter surely is a vendor of this case, too.")
@here
def accept(context: Here, /, vrf: str, **wanted: Any) -> None:
    """Coordinate it: it becomes a case, its reporter takes part and is told. Prints the VU#."""
    said: Mapping[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    opened(accepting.accept(context.tools, context.actor, vrf, accepting.Wanted(**said)))


UNPROVED = (
    "its address is that of a registered organisation, and nothing proves that it wrote this: as a vendor it counts as"
    " not contacted, and `mailrouter case notify {}` tells it like the others"
)


def opened(accepted: accepting.Accepted) -> None:
    """Say what came of it."""
    click.echo(show.number(accepted.case.vu))
    if accepted.letter_id is None:
        show.said("its reporter has no address: nobody was told")
    if accepted.unproved:
        show.said(UNPROVED.format(accepted.case.vu))
    if not accepted.case.analyst:
        show.said("it has no analyst: its mail waits in triage; `mailrouter case assign` gives it one")


@click.command(
    "decline",
    epilog=examples(
        "mailrouter report decline VRF#26-11-BCDFG --reason no-evidence",
        "mailrouter report decline 26-11-BCDFG --reason duplicate --of VU#123456 --why 'the same crash'",
    ),
)
@given.vrf_argument
@click.option("--reason", required=True, type=click.Choice(list(decline.REASONS)), help="Which; it makes the letter.")
@click.option("--of", type=given.LINE, metavar="VRF|VU", help="The report or case that it repeats.")
@click.option("--why", type=given.PROSE, help="Your own words on it, for us: they never leave.")
@click.option("--file", type=given.FILE, help="Your own words to the reporter, in the letter; - is stdin.")
@click.option("--yes", is_flag=True, help="Do not ask before it is declined.")
@here
def refuse(
    context: Here, vrf: str, reason: str, of: str | None, why: str | None, file: Path | None, yes: bool
) -> None:  # fmt: skip
    """Do not coordinate it: its reporter is told why, and what they can still do. The letter is shown first."""
    text = given.written(file) if file else ""
    if not yes:
        _declining(context, vrf, reason, of or "", text)
    done = declining.decline(context.tools, context.actor, vrf, reason, why or "", of or "", text)
    with context.db.read() as tx:
        told = f"{_named(tx, done.letter_id)} tells its reporter" if done.letter_id else "nobody is written to"
    click.echo(f"{vrf} is declined ({reason}); {told}")


def _declining(context: Here, vrf: str, reason: str, of: str, text: str) -> None:
    """What its reporter would read. `Refused` without a terminal, `click.Abort` when the person says no."""
    shown = declining.shown(context.tools, context.actor, vrf, reason, of, text)
    if not draft.terminal():
        raise faults.Refused("there is no terminal to ask on: --yes declines it without asking")
    if shown is None:
        show.said("Nobody is written to.")
    else:
        to, subject, body = shown
        show.said(f"{draft.RULER}\nTo: {to}\nSubject: {subject}\n\n{body.strip()}\n{draft.RULER}")
    click.confirm("Decline it?", abort=True, err=True)


COMMANDS = (listing, one, score, ask, accept, refuse)
