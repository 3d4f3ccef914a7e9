"""`mailrouter statement`: Vendor Statements, their exact text, and what proves it."""

import shlex
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Statement
from mailrouter.cli import given, shapes, show
from mailrouter.cli import proofs as proofs_cli
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.actor import ever_taking_part
from mailrouter.flow.casework import vouching
from mailrouter.flow.filing import statements as flow
from mailrouter.flow.people import proofs
from mailrouter.store import cases, statements, vouchers

UNPROVED = (
    "its text came encrypted and unproved: it may be somebody else's; if it could be, `mailrouter outbox hold {letter}`"
)

vendor_argument = click.argument("vendor", type=given.LINE)


@click.group()
def statement() -> None:
    """What vendors want to have published, word for word."""


@statement.command("list", epilog=examples("mailrouter statement list VU#123456"))
@given.vu_argument
@as_json
@here
def listing(context: Here, vu: int, json_: bool) -> None:
    """All statements of a case, in the order they came."""
    with context.db.read() as tx:
        found = statements.of_case(tx, cases.by_vu(tx, vu).id)
        by = vouchers.made_stand(tx, [one.id for one in found])
    if json_:
        return show.show_json([shapes.statement(one, by.get(one.id)) for one in found])
    headers = ("vendor", "state", "VU#", "message", "received (UTC)", "approved by", "why")
    return show.table(headers, (_row(one) for one in found), "No statement.", last=show.REASON)


def _row(one: Statement) -> tuple[object, ...]:
    bound = "bound" if one.bound else "not bound"
    return (
        show.short(one.vendor, 16),
        one.state,
        bound,
        one.message_id,
        one.received_at,
        show.short(one.approved_by, 12),
        one.reason,
    )


# ---- one ---------------------------------------------------------------------------------------------------------


@statement.command(
    "show",
    epilog=examples(
        "mailrouter statement show VU#123456 ACME --verbatim",
        "mailrouter statement show VU#123456 ACME --signed proof/ && gpg --verify proof/statement.asc proof/statement",
    ),
)
@given.vu_argument
@vendor_argument
@click.option("--verbatim", is_flag=True, help="Exactly its text as it was signed, and nothing else.")
@click.option("--signed", metavar="DIR", type=click.Path(path_type=Path), help="Write what any OpenPGP tool verifies.")
@click.option("--message", type=given.ID, help="The one that came in this message; else the one that stands.")
@as_json
@here
def one(
    context: Here, vu: int, vendor: str, verbatim: bool, signed: Path | None, message: int | None, json_: bool
) -> None:
    """The statement that stands, else the newest."""
    if verbatim + (signed is not None) + json_ > 1:
        raise faults.Refused("give one of --verbatim, --signed and --json")
    with context.db.read() as tx:
        found = _found(tx, vu, vendor, message)
        proof = proofs.of(tx, found)
    if verbatim:
        return click.echo(found.verbatim, nl=False)
    if signed is not None:
        return _sign_files(found, signed)
    return show.show_json(proofs_cli.shape(proof, context.now)) if json_ else _show(proof, context.now)


def _found(tx: Connection, vu: int, vendor: str, message: int | None) -> Statement:
    whose = ever_taking_part(tx, cases.by_vu(tx, vu), vendor)
    theirs = statements.of_participant(tx, whose.id)
    if message is not None:
        theirs = [s for s in theirs if s.message_id == message]
    best = [s for s in theirs if s.stands] or [s for s in theirs if s.state == "held"] or theirs
    if not best:
        raise faults.NotFound(f"no statement of {whose.name} on VU#{vu}{f' in message {message}' if message else ''}")
    return best[-1]


def _show(proof: proofs.Proof, now: datetime) -> None:
    one, by = proof.statement, proof.voucher
    show.fields(
        (
            ("vendor", one.vendor),
            ("state", one.state + (f": {one.reason}" if one.reason else "")),
            ("names the VU#", "yes, in what is signed" if one.bound else "no"),
            ("message", one.message_id),
            ("received", one.received_at),
            ("signed", one.signed_at),
            ("key", show.fingerprint(one.fingerprint)),
            ("when it came", _when_it_came(proof)),
            ("key now", proof.key_now(now)),
            ("SHA-256", one.sha256),
            ("vouched for", _vouched(by) if by else ""),
            ("approved", f"{show.when(one.approved_at)} by {one.approved_by}" if one.approved_at else "no"),
        )
    )
    click.echo()
    show.block(one.verbatim.decode("utf-8", "replace"))


def _when_it_came(proof: proofs.Proof) -> str:
    """What was decided then; it stays so."""
    message, key = proof.message, proof.certificate
    if message.verdict == "none":
        return ""
    flags = f", {message.flags}" if message.flags else ""
    by = f" by gpg {message.gpg}" if message.gpg else ""
    form = f", with the key of SHA-256 {key.digest[:16]}" if key else ""
    return f"{message.verdict}, {message.assurance}{flags}{by}{form}"


def _vouched(by: vouchers.Voucher) -> str:
    if by.how == "mail":
        return f"by mail, message {by.message_id} of {show.when(by.done_at)}; asked by {by.asked_by}"
    called = f"by telephone, {by.telephone}, with {by.spoke_with} on {show.when(by.asked_at)}"
    return f"{called}; called by {by.asked_by}, agreed by {by.agreed_by} on {show.when(by.done_at)}"


def _sign_files(one: Statement, folder: Path) -> None:
    """What anybody can verify, and how."""
    for path in proofs_cli.write(folder, proofs.signed_files(one)):
        click.echo(show.visible(str(path)))


@statement.command("export", epilog=examples("mailrouter statement export VU#123456 proof/"))
@given.vu_argument
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@here
def export(context: Here, vu: int, folder: Path) -> None:
    """Write every statement that stands, with what proves it: for others to verify with plain gpg or sq."""
    with context.db.read() as tx:
        made = proofs.export(tx, vu, context.now)
    for path in proofs_cli.write(folder, made.files):
        click.echo(show.visible(str(path)))
    if made.left_out:
        click.echo(f"{made.left_out} left out: from who takes part anonymously", err=True)


# ---- by hand -----------------------------------------------------------------------------------------------------


@statement.command("take", epilog=examples("mailrouter statement take 12"))
@click.argument("message", type=given.ID)
@here
def take(context: Here, message: int) -> None:
    """Take a filed mail as its sender's statement. It stands only if it is verified; else it is held.

    What was signed before the last statement, or came before, is refused: ask for a text that is signed anew.
    """
    taken = flow.take(context.tools, context.actor, message)
    click.echo(f"statement of {show.cell(taken.vendor)}: {taken.state}{f' ({taken.reason})' if taken.reason else ''}")


@statement.command(
    "approve",
    epilog=examples(
        "mailrouter statement approve VU#123456 ACME", "mailrouter statement approve VU#123456 ACME --sha256 44bae50e"
    ),
)
@given.vu_argument
@vendor_argument
@click.option("--sha256", metavar="HEX", default="", help="Only the text you have read: its SHA-256, or how it begins.")
@here
def approve(context: Here, vu: int, vendor: str, sha256: str) -> None:
    """Approve exactly the text that stands for publication; an analyst's order."""
    approved = flow.approve(context.tools, context.actor, vu, vendor, sha256)
    click.echo(f"statement of {show.cell(approved.vendor)} on VU#{vu} approved, SHA-256 {approved.sha256}")


@statement.command(
    "vouch",
    epilog=examples(
        "mailrouter statement vouch VU#123456 ACME --by mail",
        "mailrouter statement vouch VU#123456 ACME --by telephone --spoke-with 'Jo Doe, product security'",
    ),
)
@given.vu_argument
@vendor_argument
@click.option("--by", "how", required=True, type=click.Choice(["mail", "telephone"]), help="How they confirm it.")
@click.option("--message", type=given.ID, help="The held one that came in this message; else the newest held one.")
@click.option("--number", type=given.TELEPHONE, help="The number you called, if it is not the one on file.")
@click.option("--spoke-with", type=given.LINE, help="Who confirmed it at the telephone.")
@click.option("--why", type=given.PROSE, help="Why the number is theirs; it stands in the journal.")
@click.option("--again", is_flag=True, help="By mail once more: an answer to the earlier letter confirms nothing.")
@here
def vouch(
    context: Here, vu: int, vendor: str, how: str, message: int | None, number: str | None, spoke_with: str | None,
    why: str | None, again: bool,
) -> None:  # fmt: skip
    """A held statement of a vendor without PGP: ask them by mail to confirm it, or say that they did by telephone."""
    if how == "mail":
        if number or spoke_with or why:
            raise faults.Refused("--number, --spoke-with and --why are about a call: --by telephone")
        asked = vouching.by_mail(context.tools, context.actor, vu, vendor, message, again=again)
        click.echo(f"letter {asked.letter_id} returns the text of SHA-256 {asked.statement.sha256}")
        return click.echo(UNPROVED.format(letter=asked.letter_id), err=True) if asked.unproved else None
    if again:
        raise faults.Refused("--again is about a letter: --by mail")
    if not spoke_with:
        raise faults.Refused("say --spoke-with whom")
    call = vouching.Call(number or "", spoke_with, why or "")
    asked = vouching.by_telephone(context.tools, context.actor, vu, vendor, call, message)
    whose, text = shlex.quote(show.cell(asked.statement.vendor)), asked.statement.sha256[:12]
    return click.echo(f"a second analyst must agree: mailrouter statement agree VU#{vu} {whose} --sha256 {text}")


@statement.command("agree", epilog=examples("mailrouter statement agree VU#123456 ACME --sha256 44bae50e12ab"))
@given.vu_argument
@vendor_argument
@click.option("--sha256", required=True, type=given.DIGITS, help="The text you have read: how its SHA-256 begins.")
@here
def agree(context: Here, vu: int, vendor: str, sha256: str) -> None:
    """Agree, as the second analyst, that the vendor confirmed exactly this text by telephone: it stands."""
    agreed = vouching.agree(context.tools, context.actor, vu, vendor, sha256)
    click.echo(f"statement of {show.cell(agreed.vendor)} on VU#{vu} vouched for, SHA-256 {agreed.sha256}")


@statement.command(
    "withdraw", epilog=examples("mailrouter statement withdraw VU#123456 ACME --why 'ACME asked for it by telephone'")
)
@given.vu_argument
@vendor_argument
@click.option("--why", required=True, type=given.PROSE, help="The reason; it stands in the journal.")
@here
def withdraw(context: Here, vu: int, vendor: str, why: str) -> None:
    """It stands no longer."""
    gone = flow.withdraw(context.tools, context.actor, vu, vendor, why)
    click.echo(f"statement of {show.cell(gone.vendor)} on VU#{vu} withdrawn")
