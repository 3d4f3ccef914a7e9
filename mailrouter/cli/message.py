"""`mailrouter message`: one mail; its attachments; filing it by hand; answering it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mailrouter import faults
from mailrouter.case.standing import Assurance
from mailrouter.cli import attachments, casefile, draft, given, shapes, show
from mailrouter.cli.case import queued
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow import leaking
from mailrouter.flow.actor import taking_part
from mailrouter.flow.casework import write
from mailrouter.flow.filing import file, look
from mailrouter.flow.reports import reported
from mailrouter.store import cases, messages, proposals, relays, reports

id_argument = click.argument("message_id", metavar="ID", type=given.ID)

ASSURANCE = {
    Assurance.VERIFIED: "signed by a key pinned to its sender's organisation",
    Assurance.OTHER_SIGNER: "well signed, but not by a key pinned to its sender's organisation",
    Assurance.PARTIAL: "the signature covers only a part of it",
    Assurance.UNSIGNED: "not signed",
    Assurance.INVALID: "its signature proves nothing",
    "retry": "not judged: it could not be read",
}
STANDING = {
    "signed": "signed by the participant's pinned key",
    "authenticated": "our mail server vouches for the sender's domain",
    "claimed": "a registered address, without proof",
    "stranger": "nothing is known of the sender",
}
EVIDENCE = {
    "token": "it came to that letter's own bounce address",
    "message-id": "it returns or answers its Message-ID, as anybody could who has seen the letter",
}


ORDER = {
    "signed": "signed by the analyst's key",
    "stranger": "not surely the analyst's",
    Assurance.VERIFIED: "signed by the analyst's key on file",
    Assurance.OTHER_SIGNER: "well signed, but not by the analyst's key",
}  # where the words for an analyst's mail differ


@click.group()
def message() -> None:
    """One mail, letter or conversation."""


# ---- looking -----------------------------------------------------------------------------------------------------


@message.command(
    "show", epilog=examples("mailrouter message show 12 --text", "mailrouter message show 12 --raw > 12.eml")
)
@id_argument
@click.option("--text", is_flag=True, help="Its readable text, decrypted if need be.")
@click.option("--raw", is_flag=True, help="Exactly the bytes that came in, or leave.")
@as_json
@here
def one(context: Here, message_id: int, text: bool, raw: bool, json_: bool) -> None:
    """Where it lies and why, what we know of its sender, what is in it."""
    if text + raw + json_ > 1:
        raise faults.Refused("give one of --text, --raw and --json")
    seen = look.at(context.tools, message_id)
    if raw:
        return click.echo(_raw(seen), nl=False)
    if text:
        return _text(seen)
    vu, whose = _filed_with(context, seen.message)
    vrf = _number(context, seen.message)
    with context.db.read() as tx:
        said = proposals.of_messages(tx, [message_id])
        passed = [(one, cases.participant(tx, one.participant_id).name) for one in relays.of_message(tx, message_id)]
    if json_:
        shape = shapes.looked_at(seen, vu, whose, vrf)
        shape |= {"relays": [shapes.relay(one, whose, to) for one, to in passed]}
        return show.show_json(shape | {"proposals": [shapes.proposal(one) for one in said]})
    _show(seen, vu, whose, vrf)
    for one, to in passed:
        click.echo(f"passed on to {show.cell(to)} by letter {one.letter_id}, {show.when(one.made_at)}")
    return casefile.show_proposals([one for one in said if one.is_open])


def _raw(seen: look.Look) -> bytes:
    if seen.raw is None:
        sealed_later = seen.message.letter_id is not None
        raise faults.NotFound(
            f"message {seen.message.id} {'is a letter that is not sealed yet' if sealed_later else 'was no mail'}"
        )
    return seen.raw


def _text(seen: look.Look) -> None:
    if seen.trouble:
        show.said(seen.trouble)
    show.block(seen.text)


def _filed_with(context: Here, one: messages.Message) -> tuple[int | None, str | None]:
    with context.db.read() as tx:
        vu = cases.get(tx, one.case_id).vu if one.case_id is not None else None
        whose = cases.participant(tx, one.participant_id).name if one.participant_id is not None else None
    return vu, whose


def _number(context: Here, one: messages.Message) -> str | None:
    """The report it belongs to, or the number it was given."""
    if one.report_id is None:
        return None
    with context.db.read() as tx:
        return reports.get(tx, one.report_id).vrf


def _show(seen: look.Look, vu: int | None, whose: str | None, vrf: str | None) -> None:
    one = seen.message
    show.fields(
        (
            ("message", f"{one.id} ({one.kind}, {one.direction})"),
            ("from", _named(one.sender, whose if one.direction == "in" else None)),
            ("to", _named(one.recipient, whose if one.direction == "out" else None)),
            ("subject", one.subject),
            ("outer subject", seen.outer_subject),
            ("date", seen.date),
            ("received", one.received_at),
            ("message-id", one.message_id),
            *_judged(one),
            ("lies in", _place(one, vu)),
            ("report", vrf),
            ("could go to", _hint(one)),
            ("is about", _about(one)),
            ("encrypted", _encrypted(seen)),
            ("flags", one.flags),
            ("defects", " ".join(seen.defects) or one.defects),
            *_files(seen),
        )
    )
    click.echo(f"\nText: mailrouter message show {one.id} --text")


def _named(address: str, whose: str | None) -> str:
    return f"{address} ({whose})" if whose and whose != address else address


def _judged(one: messages.Message) -> tuple[tuple[str, object], ...]:
    """What we know of the sender, in words."""
    words = {**STANDING, **ASSURANCE, **(ORDER if one.kind == "order" else {})}
    assurance = f"{one.assurance}: {one.reason or words.get(one.assurance, '')}" if one.assurance else ""
    standing = f"{one.standing}: {words.get(one.standing, '')}" if one.standing else ""
    vouched = f" ({one.vouched_by} vouches for it)" if one.vouched_by else ""
    return (
        ("standing", standing + vouched),
        ("assurance", assurance),
        ("signed", one.signed_at),
        ("key", show.fingerprint(one.fingerprint)),
    )


def _place(one: messages.Message, vu: int | None) -> str:
    where = f"{one.place} with VU#{vu}" if vu and one.place else one.place or (f"VU#{vu}" if vu else "")
    return where + (f": {one.why}" if one.why else "")


def _hint(one: messages.Message) -> str:
    return f"VU#{one.suggested_vu}: mailrouter message route {one.id}" if one.suggested_vu else ""


def _about(one: messages.Message) -> str:
    return f"letter {one.about_letter_id}: {EVIDENCE[one.about_evidence]}" if one.about_letter_id else ""


def _encrypted(seen: look.Look) -> str:
    if not seen.message.encrypted:
        return ""
    return "yes" if seen.decrypted or seen.message.direction == "out" else f"yes, {seen.trouble or 'not opened'}"


def _files(seen: look.Look) -> list[tuple[str, str]]:
    return [("attachment", f"{f.name or '(no name)'}, {f.media_type}, {len(f.content)} bytes") for f in seen.files]


@message.command("save", epilog=examples("mailrouter message save 12 poc/"))
@id_argument
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@here
def save(context: Here, message_id: int, folder: Path) -> None:
    """Write its attachments into DIR; nothing there is overwritten."""
    seen = look.at(context.tools, message_id)
    if seen.trouble:
        show.said(seen.trouble)
    if not seen.files:
        raise faults.NotFound(f"message {message_id} has no attachments")
    for path in attachments.save(seen.files, folder):
        click.echo(show.visible(str(path)))


# ---- by hand -----------------------------------------------------------------------------------------------------


@message.command(
    "route",
    epilog=examples(
        "mailrouter message route 12",
        "mailrouter message route 12 VU#123456",
        "mailrouter message route 12 VU#123456 --from ACME --add-contact",
        "mailrouter message route 12 VRF#26-11-BCDFG",
    ),
)
@id_argument
@click.argument("where", type=given.VU_OR_VRF, metavar="[VU|VRF]", required=False)
@click.option("--from", "whose", type=given.LINE, help="I vouch that it is this participant's.")
@click.option("--add-contact", is_flag=True, help="And that its address is theirs from now on.")
@here
def route(context: Here, message_id: int, where: int | str | None, whose: str | None, add_contact: bool) -> None:
    """File it with a case: VU, or the one that `queue show` and `message show` suggest; or add it to a report."""
    if isinstance(where, str):
        return _to_report(context, message_id, where, whose)
    if add_contact and not whose:
        raise faults.Refused("--add-contact needs --from: whose address is it?")
    filed = file.route(context.tools, context.actor, message_id, where, whose or "", add_contact=add_contact)
    return click.echo(f"message {filed.id} is filed with {show.number(_filed_with(context, filed)[0])}")


def _to_report(context: Here, message_id: int, vrf: str, whose: str | None) -> None:
    if whose:
        raise faults.Refused("--from names a participant of a case; a report has none")
    reported.join(context.tools, context.actor, message_id, vrf)
    click.echo(f"message {message_id} belongs to {vrf}")


@message.command("retry", epilog=examples("mailrouter message retry 12"))
@id_argument
@here
def retry(context: Here, message_id: int) -> None:
    """Process it again, with all its tries; the daemon takes it up."""
    file.retry(context.tools, context.actor, message_id)
    click.echo(f"message {message_id} is in the inbox again")


@message.command(
    "reply",
    epilog=examples("mailrouter message reply 12", "mailrouter message reply 12 --file answer.txt --no-question"),
)
@id_argument
@draft.options
@here
def reply(context: Here, /, message_id: int, **options: Any) -> None:
    """Answer it, to the participant's registered contact, in the thread."""
    tools, wanted = context.tools, draft.Wanted(**options)
    vu, whose = _filed_with(context, write.answerable(tools, message_id))
    assert vu is not None
    seen = look.at(tools, message_id) if wanted.file is None else None
    quoted, secret = draft.quoted(seen) if seen else ("", False)
    written = draft.letter(wanted, whose or "", quoted, secret=secret)
    if not written.names_ok:
        written = replace(written, names_ok=draft.meant(_telling(context, vu, whose or "", written)))
    queued(context, vu, [write.reply(tools, context.actor, message_id, written)])


def _telling(context: Here, vu: int, whose: str, written: write.Draft) -> leaking.Preview:
    with context.db.read() as tx:
        case = cases.by_vu(tx, vu)
        return write.telling(tx, context.tools, case, [taking_part(tx, case, whose)], written)
