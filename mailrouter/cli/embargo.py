"""`mailrouter embargo`: until when a case is kept confidential, who asked for what, and who is bound by it."""

from datetime import date, datetime

import click

from mailrouter.case import embargo as words
from mailrouter.case import terms as rules
from mailrouter.case.terms import Terms
from mailrouter.cli import embargoshape, given, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.embargo import consenting, deciding, ending, proposing
from mailrouter.store import embargoes
from mailrouter.store.embargoes import Embargo

why_option = click.option("--why", required=True, type=given.PROSE, help="The reason; it stands in the journal.")


def _zone(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    """'' when none is named; an empty name is none."""
    if value is not None and not value.strip():
        raise click.BadParameter("name a time zone, like Europe/Berlin, or UTC")
    return value or ""


zone_option = click.option(
    "--zone", callback=_zone, metavar="ZONE", help="Europe/Berlin: in which the date is meant, and told."
)
number_argument = click.argument("number", type=given.ID, metavar="[NUMBER]", required=False)


@click.group()
def embargo() -> None:
    """Until when it is kept confidential: dates proposed, answered, agreed, ended."""


# ---- looking ---------------------------------------------------------------------------------------------------------


@embargo.command("list", epilog=examples("mailrouter embargo list", "mailrouter embargo list --json"))
@as_json
@here
def listing(context: Here, json_: bool) -> None:
    """All cases with an embargo, or one proposed; the soonest end first."""
    with context.db.read() as tx:
        found = embargoes.alive(tx)
    if json_:
        return show.show_json([embargoshape.line(one) for one in found])
    headers = ("VU#", "embargo", "ends (UTC)", "agreed", "bound by it", "proposed")
    return show.table(headers, map(_row, found), "No case has an embargo.")


def _row(one: Embargo) -> tuple[object, ...]:
    agreed, first = rules.in_force(one.terms), rules.stands(one.terms)
    bound = ", ".join(p.name for p in rules.bound(one.participants))
    return (
        show.number(one.case.vu), one.case.embargo.lower(), one.case.embargo_ends_at if agreed else "",
        agreed.number if agreed else "", show.short(bound, 28) or "nobody", _date(first) if first else "",
    )  # fmt: skip


def _date(one: Terms) -> str:
    return f"{one.number}: {one.ends_at:%Y-%m-%d %H:%M}"


@embargo.command("show", epilog=examples("mailrouter embargo show VU#123456", "mailrouter embargo show 123456 --json"))
@given.vu_argument
@as_json
@here
def one(context: Here, vu: int, json_: bool) -> None:
    """One case's: each date that was proposed, who asked for it, who answered what."""
    with context.db.read() as tx:
        found = embargoes.of_case(tx, vu)
    if json_:
        return show.show_json(embargoshape.line(found))
    first = rules.stands(found.terms)
    show.fields(
        (
            ("case", show.number(vu)),
            ("embargo", found.case.embargo.lower()),
            ("ends", found.case.embargo_ends_at),
            ("planned", found.case.planned_at),
            ("bound by it", ", ".join(p.name for p in rules.bound(found.participants)) or "nobody"),
            ("proposed", f"the shorter stands: {words.ends(first)}, number {first.number}" if first else ""),
        )
    )
    click.echo()
    headers = ("number", "ends", "asked by", "state", "participant", "answer")
    return show.table(headers, _answers(found), "No date was ever proposed.")


def _answers(found: Embargo) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for each in found.terms:
        answers = embargoshape.answers(found, each) or {"": ""}
        for place, (name, answer) in enumerate(answers.items()):
            head = (each.number, words.ends(each), embargoshape.asker(found, each) or "us", each.state)
            rows.append((*(head if place == 0 else ("", "", "", "")), show.short(name, 20), answer))
    return rows


# ---- proposing -------------------------------------------------------------------------------------------------------


@embargo.command(
    "propose",
    epilog=examples(
        "mailrouter embargo propose VU#123456 2026-12-31 --why 'two vendors need a month more'",
        "mailrouter embargo propose 123456 2026-12-31T15:00 --zone Europe/Berlin --by ACME --why 'they telephoned'",
    ),
)
@given.vu_argument
@click.argument("when", metavar="DATE", type=given.DAY_OR_INSTANT)
@zone_option
@click.option(
    "--by", default="", metavar="PARTICIPANT", help="Who asked for it (name, pseudonym, reporter); else we do."
)
@why_option
@here
def propose(context: Here, vu: int, when: date | datetime, zone: str, by: str, why: str) -> None:
    """Another date: everybody who was contacted is asked. Of two proposals the shorter stands until one is agreed."""
    wanted = proposing.Wanted(when, zone, why)
    _proposed(vu, proposing.propose(context.tools, context.actor, vu, wanted, by))


@embargo.command("extend", epilog=examples("mailrouter embargo extend VU#123456 2027-01-31 --why 'the fix is late'"))
@given.vu_argument
@click.argument("when", metavar="DATE", type=given.DAY_OR_INSTANT)
@zone_option
@why_option
@here
def extend(context: Here, vu: int, when: date | datetime, zone: str, why: str) -> None:
    """The same, of ours, for a date after the one that is agreed."""
    wanted = proposing.Wanted(when, zone, why, later=True)
    _proposed(vu, proposing.propose(context.tools, context.actor, vu, wanted))


def _proposed(vu: int, made: Terms) -> None:
    click.echo(f"VU#{vu}: proposed as number {made.number}: {words.ends(made)}; who was contacted is asked")


# ---- deciding --------------------------------------------------------------------------------------------------------


@embargo.command(
    "accept",
    epilog=examples(
        "mailrouter embargo accept VU#123456",
        "mailrouter embargo accept 123456 3 --despite-declines --why 'two of five decline; users need the fix'",
    ),
)
@given.vu_argument
@number_argument
@click.option("--keep-plan", is_flag=True, help="Our own date stays; else it becomes this one.")
@click.option("--despite-declines", is_flag=True, help="An extension that somebody declined; needs --why.")
@click.option("--why", type=given.PROSE, help="The reason; it stands in the journal.")
@here
def accept(
    context: Here, vu: int, number: int | None, keep_plan: bool, despite_declines: bool, why: str | None
) -> None:
    """We agree to a date that is proposed; without NUMBER to the one that stands. Everybody is told."""
    options = {"keep_plan": keep_plan, "despite_declines": despite_declines}
    changed = deciding.accept(context.tools, context.actor, vu, number, why=why or "", **options)
    click.echo(f"VU#{vu}: the embargo ends {show.when(changed.embargo_ends_at)} UTC; everybody is told")


@embargo.command("refuse", epilog=examples("mailrouter embargo refuse VU#123456 3 --why 'too late for the users'"))
@given.vu_argument
@click.argument("number", type=given.ID)
@why_option
@here
def refuse(context: Here, vu: int, number: int, why: str) -> None:
    """Not this date; what is agreed stays. Everybody is told."""
    changed = deciding.refuse(context.tools, context.actor, vu, number, why)
    click.echo(f"VU#{vu}: number {number} is refused; embargo {changed.embargo.lower()}")


@embargo.command(
    "record",
    epilog=examples(
        "mailrouter embargo record VU#123456 ACME accepted --why 'said so on the telephone'",
        "mailrouter embargo record 123456 reporter declined 2 --why 'call of 3 May'",
    ),
)
@given.vu_argument
@click.argument("whom", type=given.LINE)
@click.argument("answer", type=click.Choice(rules.ANSWERS))
@number_argument
@why_option
@here
def record(context: Here, vu: int, whom: str, answer: str, number: int | None, why: str) -> None:
    """What a participant told you of a date; without NUMBER of the newest proposed, else of the agreed one."""
    about = consenting.record(context.tools, context.actor, vu, whom, answer, why, number)
    click.echo(show.cell(f"VU#{vu}: {whom} {answer} number {about.number}: {words.ends(about)}"))


@embargo.command("end", epilog=examples("mailrouter embargo end VU#123456 --why 'attacks were seen'"))
@given.vu_argument
@why_option
@here
def end(context: Here, vu: int, why: str) -> None:
    """It is over, from now on. All participants are told at once; nothing is published by it."""
    changed = ending.ordered(context.tools, context.actor, vu, why)
    click.echo(f"VU#{vu}: embargo {changed.embargo.lower()}; all participants are told")
