"""What becomes a proposal, and what of it is taken at once: never anything of a mail that is not proved."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import plan, proposals
from mailrouter.case.actions import Propose
from mailrouter.case.answers import LABELS, Said, Source, What
from mailrouter.case.conditions import Signed
from mailrouter.case.events import MailArrived, Meant
from mailrouter.case.policy import Policy
from mailrouter.case.standing import Assurance, Standing
from tests.case.people import CASE, MACHINES, NOW, VENDOR, arrived, in_state, mails, statement

YES, NEED = Said(What.AFFECTED, "yes"), Said(What.WE_NEED, "a PoC")
REF = Said(What.THEIR_REF, "ACME-1")
PROVED = {"standing": Standing.SIGNED, "assurance": Assurance.VERIFIED, "signed": Signed(bound=True)}
OUTSIDE = replace(REF, source=Source.OUTSIDE)


def proposed(event: MailArrived) -> tuple[tuple[Said, ...], frozenset[Said]]:
    found = [action for action in plan.after(event, Policy(), NOW) if isinstance(action, Propose)]
    return (found[0].said, found[0].sure) if found else ((), frozenset())


@pytest.mark.row("A07")
@pytest.mark.parametrize(
    ("event", "how_many"),
    [
        (arrived(), 2),
        (arrived(counts=False), 2),
        (arrived(case=in_state("closed")), 2),
        (arrived(participant=replace(VENDOR, roles=("vendor", "reporter"))), 2),
        (arrived(participant=replace(VENDOR, roles=("downstream",))), 2),
        (arrived(participant=replace(VENDOR, roles=("reporter",))), 0),
        (arrived(participant=replace(VENDOR, roles=("coordinator",))), 0),
        (arrived(participant=replace(VENDOR, left_at=NOW)), 0),
        (arrived(participant=None, standing=Standing.STRANGER), 0),
        (arrived(standing=Standing.STRANGER), 0),
        (arrived(doubt="its subject says so", kind="auto-reply"), 0),
        (arrived(meant=Meant()), 0),
        (statement(), 2),
        (statement(signed=Signed(bound=False)), 0),
        (arrived(**(PROVED | {"signed": Signed(bound=True, repeated=True)})), 0),
        (arrived(**(PROVED | {"signed": Signed(bound=True, replay=True)})), 0),
        (arrived(copy_of=3), 0),
        *((arrived(kind=kind), 0) for kind in MACHINES),
    ],
)
def test_whose_words_are_proposals(event: MailArrived, how_many: int) -> None:
    said, sure = proposed(replace(event, says=(YES, NEED)))
    assert (len(said), sure) == (how_many, frozenset())


def test_another_coordinator_has_a_reference_and_no_status() -> None:
    event = arrived(participant=replace(VENDOR, roles=("coordinator",)), says=(YES, REF))
    assert proposed(event) == ((REF,), frozenset())


PROVED_BUT = {
    "it is not": {},
    "no signature": {"standing": Standing.AUTHENTICATED},
    "another's": {"assurance": Assurance.OTHER_SIGNER},
    "a part": {"assurance": Assurance.PARTIAL},
    "unbound": {"signed": Signed(bound=False)},
    "stale": {"signed": Signed(bound=True, stale=True)},
    "no answer": {"counts": False},
    "a closed case": {"case": in_state("closed")},
    "a statement": {"meant": Meant()},
    "a suspicion": {"suspicion": "somebody else may have written it"},
}


def test_what_is_proved_is_taken_at_once_after_publication_too() -> None:
    _, sure = proposed(arrived(**(PROVED | {"case": in_state("published")}), says=(YES, NEED)))
    assert sure == frozenset({YES, NEED})


@pytest.mark.row("A07")
@pytest.mark.parametrize("but", PROVED_BUT)
def test_only_what_is_proved_is_taken_at_once(but: str) -> None:
    _, sure = proposed(arrived(**(PROVED | PROVED_BUT[but]), says=(YES, NEED)))
    assert sure == (frozenset({YES, NEED}) if but == "it is not" else frozenset())


@pytest.mark.parametrize(
    ("said", "certain"),
    [
        (YES, True), (replace(YES, source=Source.QUOTED), False), (replace(YES, source=Source.BELOW), False),
        (Said(What.AFFECTED, "Not a vulnerability."), True), (Said(What.AFFECTED, "yes, partly"), False),
        (Said(What.AFFECTED, "yes / no"), False), (Said(What.AFFECTED, "see above"), False),
        (Said(What.WHY_NOT, "never built"), True), (NEED, True), (REF, True), (OUTSIDE, False),
        (Said(What.FIXED_IN, "3.2.1"), True), (Said(What.FIXED_IN, "ACME Router 3.2, Switch 4"), True),
        (Said(What.FIXED_IN, "will be in 3.2.1"), False), (Said(What.FIXED_IN, "the next release"), False),
        (Said(What.FIXED_IN, "not in 3.2"), False), (Said(What.FIXED_IN, "3.2?"), False),
        (Said(What.FIXED_IN, "planned for 3.2"), False), (Said(What.FIXED_IN, "3" * 101), False),
        (Said(What.FIX_EXPECTED, "2026-12-01"), True), (Said(What.FIX_EXPECTED, "December 2026"), False),
        (Said(What.FIX_EXPECTED, "2026-03-02"), False), (Said(What.FIX_EXPECTED, "2026-12-01, maybe"), False),
    ],
)  # fmt: skip
def test_what_can_mean_one_thing_only(said: Said, certain: bool) -> None:
    assert proposals.certain(said, NOW) == certain


def test_what_the_queue_says() -> None:
    long = Said(What.WE_NEED, "x" * 100)
    event = arrived(says=(YES, Said(What.FIXED_IN, "3.2", 2), long, REF))
    assert proposals.told(event) == "; says: Affected: yes; Fixed in (.2): 3.2; We need: " + "x" * 59 + "…"
    many = tuple(Said(What.AFFECTED, "yes", number) for number in range(1, 12))
    assert proposals.told(arrived(says=many)).endswith("Affected (.8): yes; and 3 more")
    assert proposals.told(arrived()) == proposals.told(arrived(says=(REF,))) == ""


SAID = st.builds(
    Said, st.sampled_from(list(What)), st.sampled_from(["yes", "no", "3.2", "2026-12-01", "x"]), st.integers(0, 2),
    st.sampled_from(list(Source)),
)  # fmt: skip


@given(mails, st.lists(SAID, max_size=4).map(tuple))
def test_whatever_comes_only_proved_words_are_taken_at_once(event: MailArrived, says: tuple[Said, ...]) -> None:
    said, sure = proposed(replace(event, says=says))
    assert set(said) <= set(says)
    assert sure <= set(said)
    if sure:
        assert (event.kind, event.standing, event.assurance) == ("person", Standing.SIGNED, Assurance.VERIFIED)
        assert event.signed.flags == ()
        assert event.counts
        assert event.case is not None
        assert event.case.is_open
        assert event.meant is None
        assert event.participant is not None
        assert event.participant.takes_part
        assert {one.source for one in sure} == {Source.OWN}


@given(st.text(max_size=80), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 - given its zone below
def test_any_value_is_judged(value: str, at: datetime) -> None:
    for what in LABELS:
        proposals.certain(Said(what, value), at.replace(tzinfo=UTC))
    assert CASE.is_open
