"""`mailrouter participant`: one organisation in one case, and whom we wait on."""

from datetime import datetime

import click

from mailrouter import faults
from mailrouter.case.model import Participant
from mailrouter.cli import casefile, conversation, given, shapes, show, standing
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow import cleartext
from mailrouter.flow.actor import ever_taking_part
from mailrouter.flow.casework import contacting, coordinate, haveit
from mailrouter.store import contacts, outbox, views
from mailrouter.store.messages import Message

whom_argument = click.argument("whom", type=given.LINE)


@click.group()
def participant() -> None:
    """Who takes part in a case, and whom we wait on. WHOM is a name, or `reporter`."""


@participant.command(
    "show",
    epilog=examples(
        "mailrouter participant show VU#123456 ACME", "mailrouter participant show VU#123456 ACME --text | less"
    ),
)
@given.vu_argument
@whom_argument
@click.option("--text", is_flag=True, help="What was said, in order: the new text of each message.")
@as_json
@here
def one(context: Here, vu: int, whom: str, text: bool, json_: bool) -> None:
    """One participant."""
    with context.db.read() as tx:
        file = views.case_file(tx, vu)
        found = ever_taking_part(tx, file.case, whom)
        known = views.vendor(tx, contacts.get(tx, found.organisation_id))
    mine = [m for m in file.messages if m.participant_id == found.id]
    said = list(conversation.read(context.tools, mine)) if text else []
    if json_:
        shape = shapes.participant(file, found) | {"contacts": shapes.vendor(known, context.now)["contacts"]}
        new = {seen.message.id: {"new": seen.new, "text": seen.text} for seen in said}
        shape |= {"proposals": [shapes.proposal(p) for p in file.proposals if p.participant_id == found.id]}
        shape |= {"relays": shapes.relays(file, found.id)}
        return show.show_json(shape | {"messages": [shapes.message_of_case(file, m) | new.get(m.id, {}) for m in mine]})
    if text:
        for seen in said:
            conversation.tell(seen)
        return None
    click.echo(f"{show.cell(found.name)}, {casefile.roles(found)} in VU#{vu}{', anonymous' if found.anonymous else ''}")
    usable = sum(key.usable(context.now) for key in known.keys)
    show.fields(
        (
            ("to the others", found.pseudonym),
            ("turn", casefile.TURN[found.waiting_on] + _since(file, found)),
            ("progress", found.progress),
            ("left", _left(found)),
            ("report", found.rm),
            ("fix", _fix(found)),
            *casefile.statuses(file, found),
            ("consent", found.consent),
            ("wait until", found.wait_until),
            ("notified", found.first_contact_at),
            ("last heard", found.last_heard_at),
            ("next", casefile.next_of(file, found)),
            ("follow-ups", found.follow_ups_sent),
            ("their reference", found.their_ref),
            ("description", _described(file, found)),
            ("contacts", ", ".join(c.address for c in known.contacts)),
            ("letters to it", _protection(found, usable)),
        )
    )
    casefile.show_messages(file, mine)
    return casefile.show_proposals([p for p in file.proposals if p.participant_id == found.id])


def _since(file: views.CaseFile, one: Participant) -> str:
    """When this turn began, and with what: a letter of ours, their mail, a conversation, or our word to wait."""
    kind, _, what = (one.since or "").partition(":")
    if kind == "wait":
        return f" since {show.when(datetime.fromisoformat(what.partition('/')[0]))}"
    found = next((m for m in file.messages if what == str(_number(m, kind))), None)
    if found is None:
        return ""
    by = f"letter {found.letter_id}, " if found.letter_id else "mail, " if found.mail_id else ""
    return f" since {show.when(found.received_at)} ({by}message {found.id})"


def _number(message: Message, kind: str) -> int | None:
    return {"letter": message.letter_id, "mail": message.mail_id}.get(kind, message.id)


def _described(file: views.CaseFile, one: Participant) -> str:
    """Which version they have."""
    if file.description is None or not (one.described or one.promised):
        return ""
    has = f"version {one.described}" if one.described else "none"
    newest = f" (the newest is {file.description.version})" if one.described != file.description.version else ""
    return f"{has}{newest}" + ("; it follows once they have a usable key" if one.promised > one.described else "")


def _left(one: Participant) -> str:
    return f"{show.when(one.left_at)}: {one.left_why}" if one.left_at else ""


def _fix(one: Participant) -> str:
    """What of its case state is set, and since when."""
    since = (("aware", one.aware_at), ("ready", one.fix_ready_at), ("deployed", one.fix_deployed_at))
    said = [f"{what} {at:%Y-%m-%d}" for what, at in since if at is not None]
    if one.fix_expected_at is not None and one.fix_ready_at is None:
        said.append(f"expected {one.fix_expected_at:%Y-%m-%d}")
    return ", ".join(said)


def _protection(one: Participant, usable: int) -> str:
    """How a confidential letter to them would leave."""
    if usable or one.clear_text_at is None:
        return "encrypted" if usable else "signed only: no usable key"
    return f"signed only; they consent to clear text since {one.clear_text_at:%Y-%m-%d} ({one.clear_text_by})"


@participant.command(
    "wait",
    epilog=examples(
        "mailrouter participant wait VU#123456 ACME --until 2026-12-01", "mailrouter participant wait 123456 ACME"
    ),
)
@given.vu_argument
@whom_argument
@click.option("--until", type=given.INSTANT, help="2026-12-01 (UTC midnight) or with time and zone; else for good.")
@here
def wait(context: Here, vu: int, whom: str, until: datetime | None) -> None:
    """Nobody's turn until a date: no follow-ups, no reminders."""
    given.still_to_come(until, context.now, "--until")
    waited = coordinate.wait(context.tools, context.actor, vu, whom, until)
    how_long = f"until {show.when(until)} UTC" if until else "until somebody writes"
    click.echo(f"VU#{vu}: nobody's turn with {show.cell(waited.name)} {how_long}")


@participant.command(
    "set",
    epilog=examples(
        "mailrouter participant set VU#123456 ACME --their-ref ACME-4411",
        "mailrouter participant set 123456 ACME --acknowledged",
        "mailrouter participant set 123456 ACME --clear-text yes --why 'agreed on the telephone'",
    ),
)
@given.vu_argument
@whom_argument
@click.option("--their-ref", type=given.LINE, help="Their own reference: our subjects to them carry it.")
@click.option("--anonymous/--no-anonymous", default=None, help="No other participant may learn of it.")
@click.option("--clear-text", type=click.Choice(["yes", "no"]), help="They agree to confidential letters in clear.")
@click.option("--why", type=given.LINE, help="How we know that they do, or no longer do.")
@click.option("--acknowledged", is_flag=True, help="They said no more than that they have it: we still wait.")
@here
def change(
    context: Here, vu: int, whom: str, their_ref: str | None, anonymous: bool | None, clear_text: str | None,
    why: str | None, acknowledged: bool,
) -> None:  # fmt: skip
    """Record their reference, whether they are anonymous or consent to clear text, or that they acknowledged."""
    wanted: dict[str, object] = {"their_ref": their_ref, "anonymous": anonymous}
    values = {name: value for name, value in wanted.items() if value is not None}
    if (clear_text is None) != (why is None):
        raise faults.Refused("--clear-text and --why go together: say how we know")
    if not values and clear_text is None and not acknowledged:
        raise faults.Refused(
            "say what to record: --their-ref, --anonymous, --no-anonymous, --acknowledged or --clear-text"
        )
    if clear_text is not None and why is not None:
        _say_consent(context, vu, contacting.decide_clear_text(
            context.tools, context.actor, vu, whom, allowed=clear_text == "yes", why=why,
        ))  # fmt: skip
    if acknowledged:
        told = haveit.order(context.tools, context.actor, vu, whom)
        click.echo(f"VU#{vu}: {show.cell(told.name)} acknowledged it; {casefile.TURN[told.waiting_on]}")
    if values:
        changed = coordinate.set_participant(context.tools, context.actor, vu, whom, **values)
        click.echo(f"VU#{vu}: {show.cell(changed.name)} changed")


def _say_consent(context: Here, vu: int, one: Participant) -> None:
    """What was recorded, and which letters it was waited for with."""
    if one.clear_text_at is None:
        return click.echo(f"VU#{vu}: {show.cell(one.name)} does not consent to clear text, as recorded now")
    click.echo(f"VU#{vu}: {show.cell(one.name)} consents to clear text from now on")
    with context.db.read() as tx:
        held = outbox.waiting_for_a_key(tx, one.id)
    return show.said(cleartext.release(held)) if held else None


for command in standing.COMMANDS:
    participant.add_command(command)
