"""`mailrouter case`: a coordination from its opening to its closing, and what people write in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import click

from mailrouter import faults
from mailrouter.case.model import Case, Participant
from mailrouter.case.vuid import VuId
from mailrouter.cli import (
    casefile,
    casenumbers,
    casestate,
    contacting,
    draft,
    given,
    joining,
    merging,
    relay,
    shapes,
    sharing,
    show,
    timeline,
    triage,
)
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.actor import taking_part
from mailrouter.flow.casework import closing, coordinate, write
from mailrouter.flow.filing import look
from mailrouter.flow.reports import accept
from mailrouter.flow.timing import casepolicy
from mailrouter.store import cases, views

vu_argument = given.vu_argument
why_option = click.option("--why", required=True, type=given.PROSE, help="The reason; it stands in the journal.")


@click.group()
def case() -> None:
    """Cases: one coordination each."""


@case.command(
    "open",
    epilog=examples("mailrouter case open 'Heap overflow in libfoo'", "mailrouter case open 'Heap overflow' --from 12"),
)
@click.argument("title", type=given.LINE)
@click.option("--vu", type=given.VU, help="This number instead of a random one.")
@click.option("--analyst", type=given.LINE, help="Who owns it; else you, if you are an analyst.")
@click.option(
    "--from",
    "message",
    type=given.ID,
    help="Take up this mail's report: file it, its sender becomes the reporter and is told.",
)
@click.option("--urgent", is_flag=True)
@here
def open_(context: Here, title: str, vu: int | None, analyst: str | None, message: int | None, urgent: bool) -> None:
    """Open a case; prints its VU#."""
    tools, actor = context.tools, context.actor
    if message is not None:
        wanted = accept.Wanted(title, vu, analyst or "", urgent)
        triage.opened(accept.from_message(tools, actor, message, wanted))
        return
    opened = coordinate.open_case(tools, actor, title, vu, analyst or "", urgent=urgent)
    click.echo(show.number(opened.vu))
    if not opened.analyst:
        show.said("it has no analyst: its mail waits in triage; `mailrouter case assign` gives it one")


# ---- looking -----------------------------------------------------------------------------------------------------


@case.command("list", epilog=examples("mailrouter case list", "mailrouter case list --all --json"))
@click.option("--all", "everything", is_flag=True, help="The closed and merged ones too.")
@click.option("--analyst", type=given.LINE, help="Only theirs.")
@as_json
@here
def listing(context: Here, everything: bool, analyst: str | None, json_: bool) -> None:
    """Cases, newest first."""
    with context.db.read() as tx:
        found = [c for c in cases.everything(tx, closed=everything) if analyst in (None, c.analyst)]
        turns = cases.turns_of_ours(tx, [c.id for c in found])
    if json_:
        return show.show_json([shapes.case_line(c, turns.get(c.id, 0)) for c in found])
    headers = ("VU#", "title", "analyst", "state", "our turn", "publication", "opened")
    return show.table(headers, [_row(c, turns.get(c.id, 0)) for c in found], "No case.")


def _row(one: Case, turns: int) -> tuple[object, ...]:
    planned = f"{one.planned_at:%Y-%m-%d}" if one.planned_at else ""
    state = f"{one.state} !" if one.urgent else one.state
    opened = f"{one.opened_at:%Y-%m-%d}"
    return f"VU#{one.vu}", show.short(one.title, 26), show.short(one.analyst, 12), state, turns or "", planned, opened


@case.command("show", epilog=examples("mailrouter case show VU#123456", "mailrouter case show 123456 --json"))
@vu_argument
@click.option("--all", "everything", is_flag=True, help="Everybody and every message, however many there are.")
@as_json
@here
def one(context: Here, vu: int, everything: bool, json_: bool) -> None:
    """A case: whose turn it is, the next letter, then everything else."""
    with context.db.read() as tx:
        found = views.case_file(tx, vu)
    return show.show_json(shapes.case(found)) if json_ else casefile.show_case(found, everything=everything)


@case.command(
    "timeline",
    epilog=examples("mailrouter case timeline VU#123456", "mailrouter case timeline VU#123456 --since 2026-12-01"),
)
@vu_argument
@click.option("--since", type=given.INSTANT, help="From then on: 2026-12-01 (UTC midnight), or with time and zone.")
@as_json
@here
def line(context: Here, vu: int, since: datetime | None, json_: bool) -> None:
    """What happened in a case, by its journal and its report's, and what is to come: one list in the order of time."""
    with context.db.read() as tx:
        steps = timeline.of_case(tx, views.case_file(tx, vu), context.settings.policy, context.now, since)
    if json_:
        return show.show_json(steps)
    return show.table(("when (UTC)", "what", "who"), [timeline.row(step) for step in steps], "Nothing happened.")


# ---- owner and state ---------------------------------------------------------------------------------------------


@case.command("assign", epilog=examples("mailrouter case assign VU#123456 Ben"))
@vu_argument
@click.argument("analyst", type=given.LINE)
@here
def assign(context: Here, vu: int, analyst: str) -> None:
    """Another owner; what waits goes with it."""
    changed = coordinate.assign(context.tools, context.actor, vu, analyst)
    click.echo(f"VU#{vu} is {show.cell(changed.analyst)}'s")


@case.command(
    "title",
    epilog=examples(
        "mailrouter case title VU#123456 'Heap overflow in libfoo'", "mailrouter case title VU#123456.2 'Weak default'"
    ),
)
@given.vulnerability_argument
@click.argument("title", type=given.LINE)
@here
def entitle(context: Here, one: VuId, title: str) -> None:
    """Call it, or one vulnerability of it, something else; letters that were made keep what they say."""
    coordinate.entitle(context.tools, context.actor, one.number, title, one.vulnerability)
    click.echo(f"{one} is called {show.cell(title)}")


@case.command("close", epilog=examples("mailrouter case close VU#123456 --why 'fixed and published'"))
@vu_argument
@why_option
@click.option("--end-embargo", is_flag=True, help="The embargo ends with the case.")
@click.option("--anyway", is_flag=True, help="Though something is still open in it.")
@here
def close(context: Here, vu: int, why: str, end_embargo: bool, anyway: bool) -> None:
    """Close it: no clock runs any more."""
    closing.close(context.tools, context.actor, vu, why, end_embargo=end_embargo, anyway=anyway)
    click.echo(f"VU#{vu} is closed")


@case.command("reopen", epilog=examples("mailrouter case reopen VU#123456 --why 'the fix is incomplete'"))
@vu_argument
@why_option
@here
def reopen(context: Here, vu: int, why: str) -> None:
    """Open it again."""
    _, meanwhile = closing.reopen(context.tools, context.actor, vu, why)
    click.echo(f"VU#{vu} is open")
    for one in meanwhile:
        click.echo(f"Meanwhile {show.cell(one.sender)} wrote: message {one.id}, {show.when(one.received_at)}")


@case.command(
    "policy",
    epilog=examples(
        "mailrouter case policy VU#123456",
        "mailrouter case policy VU#123456 embargo_days=90 follow_up_days=7",
        "mailrouter case policy VU#123456 embargo_days=",
    ),
)
@vu_argument
@click.argument("numbers", nargs=-1, type=given.NUMBER, metavar="[KEY=VALUE]...")
@as_json
@here
def policy(context: Here, vu: int, numbers: Sequence[tuple[str, str]], json_: bool) -> None:
    """The numbers in force for this case; KEY=VALUE gives it one of its own, KEY= takes it back."""
    wanted = dict(numbers)
    if len(wanted) < len(numbers):
        raise faults.Refused("each number once: one of them is given twice")
    changed = casepolicy.change(context.tools, context.actor, vu, wanted) if wanted else None
    if changed is not None and not json_:
        return casenumbers.say(changed, context.now)
    with context.db.read() as tx:
        of = casepolicy.numbers(context.settings.policy, cases.by_vu(tx, vu))
    return show.show_json(casenumbers.shape(of)) if json_ else casenumbers.table(of)


# ---- vendors -----------------------------------------------------------------------------------------------------


def queued(context: Here, vu: int, letter_ids: Sequence[int]) -> None:
    """Say what became of the letters, and whether anybody will get them."""
    with context.db.read() as tx:
        found = views.case_file(tx, vu)
    names = {m.letter_id: found.participant(m.participant_id) for m in found.messages}
    numbers = {m.letter_id: m.id for m in found.messages}
    for sent in (found.letters[letter_id] for letter_id in letter_ids):
        whose = names[sent.id]
        state = f"held: {sent.why}" if sent.state == "held" else sent.state
        named = show.letter(sent.id, numbers.get(sent.id))
        click.echo(f"VU#{vu}: {named} to {show.cell(whose.name if whose else '')} is {state}")
    if context.settings.relay.url.startswith("maildir:"):
        show.said("letters go to a local maildir (relay.url): nobody receives this")


# ---- what people write -------------------------------------------------------------------------------------------


@case.command(
    "write",
    epilog=examples(
        "mailrouter case write VU#123456 ACME",
        "mailrouter case write VU#123456 ACME reporter --file question.txt --attach poc.tar.gz --confidential",
    ),
)
@vu_argument
@click.argument("whom", nargs=-1, required=True, type=given.LINE)
@draft.options
@here
def write_letter(context: Here, /, vu: int, whom: Sequence[str], **wanted: Any) -> None:
    """Write to participants, one mail each, in each one's thread."""
    with context.db.read() as tx:
        found = views.case_file(tx, vu)
        chosen = list(dict.fromkeys(taking_part(tx, found.case, name) for name in whom))
    options = draft.Wanted(**wanted)
    quoted, secret = ("", False) if options.file or len(chosen) > 1 else _latest(context, found, chosen[0])
    written = draft.letter(options, ", ".join(p.name for p in chosen), quoted, secret=secret)
    if not written.names_ok:
        with context.db.read() as tx:
            tells = write.telling(tx, context.tools, found.case, chosen, written)
        written = replace(written, names_ok=draft.meant(tells))
    seen = max((m.id for m in found.messages), default=0)
    queued(context, vu, write.write(context.tools, context.actor, vu, [p.name for p in chosen], written, seen))


def _latest(context: Here, found: views.CaseFile, participant: Participant) -> tuple[str, bool]:
    """Their newest mail, as a reply quotes it."""
    theirs = [m for m in found.messages if m.participant_id == participant.id and m.mail_id is not None]
    people = [m for m in theirs if not shapes.is_automated(m)]
    return draft.quoted(look.at(context.tools, people[-1].id)) if people else ("", False)


@case.command("remark", epilog=examples("mailrouter case remark VU#123456 'the reporter sounds hurried'"))
@vu_argument
@click.argument("text", type=given.PROSE)
@here
def remark(context: Here, vu: int, text: str) -> None:
    """Note something; it never leaves."""
    write.remark(context.tools, context.actor, vu, text)
    click.echo(f"VU#{vu}: noted")


@case.command(
    "log", epilog=examples("mailrouter case log VU#123456 ACME --by phone --at 2026-03-02T10:00Z 'fix planned for May'")
)
@vu_argument
@click.argument("whom", type=given.LINE)
@click.argument("text", type=given.PROSE)
@click.option("--by", required=True, type=click.Choice(["phone", "call", "other"]), help="How you spoke.")
@click.option("--at", type=given.INSTANT, help="When; else now.")
@here
def log(context: Here, vu: int, whom: str, text: str, by: str, at: datetime | None) -> None:
    """Record a conversation; it counts as an answer."""
    given.over(at, context.now, "--at", "log a conversation after it was held")
    spoken = write.log(context.tools, context.actor, vu, whom, by, at or context.now, text)
    click.echo(f"VU#{vu}: conversation with {show.cell(whom)} kept as message {spoken}")


for command in (
    *joining.COMMANDS, *contacting.COMMANDS, *casestate.COMMANDS, *merging.COMMANDS, relay.relay, sharing.alert,
):  # fmt: skip
    case.add_command(command)
