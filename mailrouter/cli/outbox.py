"""`mailrouter outbox`: letters on their way out, each by hand, and the brake on all of them."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from mailrouter import faults
from mailrouter.case.model import Report
from mailrouter.cli import given
from mailrouter.cli.frame import Here, as_json, examples, here, said, show_json, table
from mailrouter.cli.show import block, cell, fields, number, short, when
from mailrouter.flow.actor import Actor
from mailrouter.flow.sending import outgoing
from mailrouter.store import cases, messages, reports
from mailrouter.store import outbox as store
from mailrouter.store.messages import Message
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools

_ids = click.argument("ids", metavar="ID…", type=given.ID, nargs=-1, required=True)
_why = click.option("--why", type=given.LINE, help="Your reason, for the journal.")


@click.group(epilog=examples("mailrouter outbox list", "mailrouter outbox show 7", "mailrouter outbox pause"))
def outbox() -> None:
    """Outgoing letters, and the brake on all of them."""


@outbox.command("list", epilog=examples("mailrouter outbox list", "mailrouter outbox list --unsent --json"))
@click.option("--unsent", is_flag=True, help="Only those that have not left: queued, held and failed.")
@as_json
@here
def list_(here: Here, unsent: bool, json_: bool) -> None:
    """Every letter, oldest first; what is too long for a line is cut, and `outbox show` has all of it."""
    with here.db.read() as tx:
        letters = store.listed(tx, everything=not unsent)
        paused = store.paused(tx)
        about = reports.some(tx, {letter.report_id for letter, _ in letters if letter.report_id})
    if json_:
        show_json([_row(letter, vu, about.get(letter.report_id or 0)) for letter, vu in letters])
        return
    headers = ("ID", "CASE", "LETTER", "TO", "STATE", "NEXT", "WHY")
    table(headers, (_cells(letter, vu) for letter, vu in letters), "no letters", last=22)
    if paused:
        said("The outbox is paused: nothing leaves until `mailrouter outbox resume`.")


def _row(letter: Letter, vu: int | None, report: Report | None) -> dict[str, Any]:
    return {
        "id": letter.id, "vu": number(vu), "report": report.vrf if report else None,
        "letter": letter.name, "to": letter.recipient, "state": letter.state,
        "attempts": letter.attempts, "next_attempt_at": _next(letter), "message_id": letter.message_id.strip("<>"),
        "signed": letter.signed, "encrypted": letter.encrypted, "subject": letter.subject, "why": letter.why,
        "made_at": letter.made_at, "sent_at": letter.sent_at, "reply": letter.reply,
    }  # fmt: skip


def _next(letter: Letter) -> Any:
    return letter.next_attempt_at if letter.state == "queued" else None


def _cells(letter: Letter, vu: int | None) -> Sequence[object]:
    coming = _next(letter)
    return (
        letter.id, number(vu), short(letter.name, 14), short(letter.recipient, 20), letter.state,
        f"{coming:%m-%d %H:%M}" if coming else "", short(letter.why or letter.reply, 64),
    )  # fmt: skip


@outbox.command(epilog=examples("mailrouter outbox show 7", "mailrouter outbox show 7 --raw > letter.eml"))
@click.argument("letter_id", metavar="ID", type=given.ID)
@click.option("--raw", is_flag=True, help="The mail as it leaves, byte for byte.")
@as_json
@here
def show(here: Here, letter_id: int, raw: bool, json_: bool) -> None:
    """One letter: why it is where it is, and what it says."""
    with here.db.read() as tx:
        letter = store.get(tx, letter_id)
        vu = cases.get(tx, letter.case_id).vu if letter.case_id else None
        about = reports.get(tx, letter.report_id) if letter.report_id else None
        came_back = messages.about_letter(tx, letter_id)
    if raw:
        _raw(letter)
    elif json_:
        files = [{"name": file["name"], "type": file["type"]} for file in store.attachments(letter)]
        more = {
            "automatic": letter.automatic,
            "confidential": letter.confidential,
            "asks": letter.asks,
            "despite": letter.despite or None,
        }
        came = [{"message": m.id, "kind": m.kind, "evidence": m.about_evidence, "at": m.received_at} for m in came_back]
        show_json(_row(letter, vu, about) | more | {"body": letter.body, "attachments": files, "reports": came})
    else:
        _show(letter, vu, came_back)


def _raw(letter: Letter) -> None:
    if letter.sealed is None:
        raise faults.NotFound(f"letter {letter.id} is not sealed yet: that is done at its first try")
    sys.stdout.buffer.write(letter.sealed)


# What a machine said about a letter, by its kind; the rest of the kinds say that somebody's machine answered.
CAME = {
    "bounce": "came back", "delay": "not delivered yet", "dsn-success": "delivered", "mdn": "opened, says a receipt",
}  # fmt: skip


def _report(one: Message) -> str:
    said = f"{CAME.get(one.kind, one.kind)}: message {one.id} of {when(one.received_at)}"
    return said if one.about_evidence == "token" else f"{said}, unproved"


def _show(letter: Letter, vu: int | None, came_back: Sequence[Message]) -> None:
    protected = [word for word, is_so in (("signed", letter.signed), ("encrypted", letter.encrypted)) if is_so]
    marks = {"confidential": letter.confidential, "automatic": letter.automatic, "asks for an answer": letter.asks}
    fields([
        ("Letter", f"{letter.id} {letter.name}"), ("Case", number(vu)), ("To", letter.recipient or "nobody"),
        ("Subject", letter.subject), ("State", letter.state), ("Why", letter.why), ("Relay said", letter.reply),
        ("Tries", letter.attempts), ("Next try", when(_next(letter))), ("Made", when(letter.made_at)),
        ("Sent", when(letter.sent_at)), ("Message-ID", letter.message_id), ("Protected", ", ".join(protected)),
        ("Is", ", ".join(mark for mark, is_so in marks.items() if is_so)),
        ("Attached", ", ".join(cell(file["name"]) for file in store.attachments(letter))),
        *(("Report", _report(one)) for one in came_back),
    ])  # fmt: skip
    click.echo()
    block(letter.body)


# ---- by hand ---------------------------------------------------------------------------------------------------------


@outbox.command(epilog=examples("mailrouter outbox hold 7 --why 'the vendor telephoned'"))
@_ids
@_why
@here
def hold(here: Here, ids: Sequence[int], why: str | None) -> None:
    """Keep letters here until they are released."""
    _each(here, ids, lambda tools, actor, letter_id: outgoing.hold(tools, actor, letter_id, why or ""))


@outbox.command(
    epilog=examples("mailrouter outbox release 7 8 9", "mailrouter outbox release 7 --despite-leak --why 'both agreed'")
)
@_ids
@click.option("--despite-leak", is_flag=True, help="Though it tells its recipient of others: I read it.")
@_why
@here
def release(here: Here, ids: Sequence[int], despite_leak: bool, why: str | None) -> None:
    """Let held letters leave now."""
    if despite_leak != bool(why):
        raise faults.Refused("--despite-leak and --why go together: say why others may be told of")
    if why is None:
        return _each(here, ids, outgoing.release)
    return _each(here, ids, lambda tools, actor, letter_id: outgoing.release_despite(tools, actor, letter_id, why))


@outbox.command(epilog=examples("mailrouter outbox retry 7"))
@_ids
@here
def retry(here: Here, ids: Sequence[int]) -> None:
    """Try failed, held or waiting letters now. One that was sent is not sent again."""
    _each(here, ids, outgoing.retry)


def _each(here: Here, ids: Sequence[int], do: Callable[[Tools, Actor, int], Letter]) -> None:
    for letter_id in ids:
        letter = do(here.tools, here.actor, letter_id)
        said(f"letter {letter.id} is {letter.state}")


@outbox.command(epilog=examples("mailrouter outbox pause --why 'wrong telephone number in the letters'"))
@_why
@here
def pause(here: Here, why: str | None) -> None:
    """The brake: no letter leaves, from any node, until `resume`."""
    changed = outgoing.brake(here.tools, here.actor, on=True, why=why or "")
    said("the outbox is paused" if changed else "the outbox was paused already")


@outbox.command(epilog=examples("mailrouter outbox resume"))
@_why
@here
def resume(here: Here, why: str | None) -> None:
    """Letters leave again."""
    changed = outgoing.brake(here.tools, here.actor, on=False, why=why or "")
    said("letters leave again" if changed else "the outbox was not paused")
