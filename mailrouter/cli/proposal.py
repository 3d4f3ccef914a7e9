"""`mailrouter proposal`: what vendors say in the lines of our form, for an analyst to take as said with one command."""

import click

from mailrouter import faults
from mailrouter.case import answers
from mailrouter.cli import given, shapes, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.casework import proposals as flow
from mailrouter.store import cases, messages, proposals
from mailrouter.store.proposals import Proposal

ids_argument = click.argument("ids", metavar="ID...", nargs=-1, type=given.ID)


@click.group()
def proposal() -> None:
    """What mails say of status, fix and reference: a proposal, until it is taken."""


# ---- looking ---------------------------------------------------------------------------------------------------------


@proposal.command(
    "list", epilog=examples("mailrouter proposal list", "mailrouter proposal list VU#123456 --all --json")
)
@click.argument("vu", type=given.VU, metavar="[VU]", required=False)
@click.option("--all", "everything", is_flag=True, help="The decided ones too.")
@as_json
@here
def listing(context: Here, vu: int | None, everything: bool, json_: bool) -> None:
    """The open ones, oldest first, of one case or of all."""
    with context.db.read() as tx:
        case_id = cases.by_vu(tx, vu).id if vu is not None else None
        found = proposals.listed(tx, case_id, everything=everything)
    if json_:
        return show.show_json([shapes.proposal(one) for one in found])
    headers = ("id", "VU#", "participant", "message", "says", "state")
    return show.table(headers, map(_row, found), "Nothing is proposed.", last=show.REASON)


def _row(one: Proposal) -> tuple[object, ...]:
    says = answers.line(one.what, one.value, one.vulnerability)
    return (
        one.id,
        show.number(one.vu),
        show.short(one.participant, 18),
        one.message_id,
        show.short(says, 44),
        _state(one),
    )


def _state(one: Proposal) -> str:
    by = f" by {one.decided_by}" if one.decided_by else ""
    return f"{one.outcome}{by}" if one.outcome else "open"


@proposal.command("show", epilog=examples("mailrouter proposal show 7"))
@click.argument("proposal_id", metavar="ID", type=given.ID)
@as_json
@here
def one(context: Here, proposal_id: int, json_: bool) -> None:
    """One of them: who says it, in which mail, what we know of its sender."""
    with context.db.read() as tx:
        found = proposals.get(tx, proposal_id)
        mail = messages.get(tx, found.message_id)
    if json_:
        return show.show_json(shapes.proposal(found))
    promised = answers.expected(found.value) if found.what == answers.What.FIX_EXPECTED else None
    show.fields(
        (
            ("proposal", f"{found.id}, {_state(found)}"),
            ("case", show.number(found.vu)),
            ("participant", found.participant),
            ("says", answers.line(found.what, found.value, found.vulnerability, found.vu)),
            ("read as", f"{promised.day}{'' if promised.sure else ', not for certain'}" if promised else ""),
            ("message", f"{mail.id}, from {mail.sender}"),
            ("sender", ", ".join(word for word in (mail.standing, mail.assurance, mail.flags) if word)),
            ("made", found.made_at),
            ("decided", found.decided_at),
        )
    )
    return click.echo(f"\nText: mailrouter message show {mail.id} --text")


# ---- deciding --------------------------------------------------------------------------------------------------------


@proposal.command("take", epilog=examples("mailrouter proposal take 7 8", "mailrouter proposal take --message 12"))
@ids_argument
@click.option("--message", "message_id", type=given.ID, help="All that this mail says.")
@here
def take(context: Here, ids: tuple[int, ...], message_id: int | None) -> None:
    """As they say: status, fix, date, whose turn, their reference. All of them, or none."""
    if bool(ids) == (message_id is not None):
        raise faults.Refused("say which: one ID or several, or --message")
    if message_id is not None:
        taken = flow.take_message(context.tools, context.actor, message_id)
    else:
        taken = flow.take(context.tools, context.actor, ids)
    _said(taken, "taken")


@proposal.command("refuse", epilog=examples("mailrouter proposal refuse 7 --why 'they meant another product'"))
@ids_argument
@click.option("--why", type=given.LINE, required=True, help="For the journal.")
@here
def refuse(context: Here, ids: tuple[int, ...], why: str) -> None:
    """Not so: nothing is recorded of it. They are told nothing."""
    if not ids:
        raise faults.Refused("say which: one ID or several")
    _said(flow.refuse(context.tools, context.actor, ids, why), "refused")


def _said(decided: list[Proposal], how: str) -> None:
    for one in decided:
        says = answers.line(one.what, one.value, one.vulnerability)
        click.echo(show.cell(f"VU#{one.vu}: {how}: {one.participant} says {says}"))
