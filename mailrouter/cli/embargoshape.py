"""The JSON of an embargo, and its words: who asked, who answered what. Stable keys (CONTRACT.md, Commands)."""

from mailrouter.case import terms as rules
from mailrouter.case.terms import Terms
from mailrouter.cli.show import number
from mailrouter.store.embargoes import Embargo

Shape = dict[str, object]


def line(one: Embargo) -> Shape:
    """One of `embargo list`, and `embargo show`."""
    return {
        "vu": number(one.case.vu), "planned_at": one.case.planned_at, "embargo": of(one),
        "bound": [p.name for p in rules.bound(one.participants)],
    }  # fmt: skip


def of(one: Embargo) -> Shape:
    """`embargo` in `case show`; `stands`: the number of the open proposal that ends first."""
    agreed, first = rules.in_force(one.terms), rules.stands(one.terms)
    return {
        "state": one.case.embargo, "ends_at": one.case.embargo_ends_at, "zone": agreed.zone if agreed else "UTC",
        "agreed": agreed.number if agreed else None, "stands": first.number if first else None,
        "terms": [_terms(one, each) for each in one.terms],
    }  # fmt: skip


def _terms(one: Embargo, each: Terms) -> Shape:
    return {
        "number": each.number, "ends_at": each.ends_at, "zone": each.zone, "asked_by": asker(one, each),
        "message": each.message_id, "state": each.state, "proposed_at": each.proposed_at,
        "proposed_by": each.proposed_by, "why": each.why or None, "decided_at": each.decided_at,
        "decided_by": each.decided_by or None, "decided_why": each.decided_why or None, "answers": answers(one, each),
    }  # fmt: skip


def asker(one: Embargo, each: Terms) -> str | None:
    """The participant's name; None: we did."""
    return next((p.name for p in one.participants if p.id == each.participant_id), None)


def answers(one: Embargo, each: Terms) -> dict[str, str]:
    """By name, of all who were asked: accepted | declined | invited."""
    return {p.name: each.answer_of(p.id) for p in one.participants if p.id in each.answers}
