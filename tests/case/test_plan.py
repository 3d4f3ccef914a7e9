"""The plan for a mail: where it goes, whose turn it is then, and when a statement stands."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from mailrouter.case import plan
from mailrouter.case.actions import (
    ALL_CLOCKS,
    CLOCKS_OF_SILENCE,
    Close,
    File,
    Heard,
    KeepStatement,
    Reopen,
    Set,
    Turn,
    Write,
)
from mailrouter.case.conditions import Signed
from mailrouter.case.events import MailArrived, Meant, Routed
from mailrouter.case.model import DeadlineKind, Place, Waiting
from mailrouter.case.policy import Policy
from mailrouter.case.standing import Assurance, Standing
from tests.case.people import CASE, MACHINES, NOW, VENDOR, arrived, in_state, mails, statement, waiting

POLICY = Policy()
OPENED = "answer; the case was closed, and goes on (its sender: claimed)"


def planned(event: MailArrived) -> list[object]:
    return list(plan.after(event, POLICY, NOW))


def filed(event: MailArrived) -> File:
    first = planned(event)[0]
    assert isinstance(first, File)
    return first


def kept(event: MailArrived) -> KeepStatement | None:
    return next((order for order in planned(event) if isinstance(order, KeepStatement)), None)


# ---- where it goes --------------------------------------------------------------------------------------------------

TRIAGE = Routed(place=Place.TRIAGE, why="no VU# in the subject")
REVIEW = Routed(place=Place.REVIEW, why="names VU#999999", claimed_vu=999999)
NO_CASE = {"case": None, "participant": None}


@pytest.mark.parametrize(
    ("event", "place", "queue", "why", "in_case"),
    [
        (arrived(), "filed", "analyst:3", "answer", True),
        (arrived(case=replace(CASE, analyst_id=None)), "filed", "triage", "answer", True),
        (arrived(counts=False), "filed", "analyst:3", "claimed: does not count as an answer", True),
        (statement(), "filed", "analyst:3", "statement", True),
        (arrived(case=in_state("closed")), "filed", "analyst:3", OPENED, True),
        (arrived(case=in_state("closed"), counts=False), "filed", "analyst:3", "the case is closed", True),
        (arrived(case=in_state("published")), "filed", "analyst:3", "answer; the case is published", True),
        (statement(case=in_state("published")), "filed", "analyst:3", "statement; the case is published", True),
        (arrived(kind="auto-reply"), "filed", None, "automatic: auto-reply", True),
        (arrived(kind="list"), "filed", None, "automatic: list", True),
        (arrived(kind="bounce"), "bounces", "bounces", "a bounce report", True),
        (arrived(kind="delay"), "bounces", "bounces", "a delay report", True),
        (arrived(kind="bounce", **NO_CASE, routed=TRIAGE), "bounces", "bounces", "a bounce report", False),
        (arrived(kind="bounce", participant=None), "bounces", "bounces", "a bounce report", False),
        (arrived(kind="bounce", standing=Standing.STRANGER), "bounces", "bounces", "a bounce report", False),
        (arrived(participant=None, standing=Standing.STRANGER), "review", "review", "a stranger", False),
        (arrived(standing=Standing.STRANGER), "review", "review", "a stranger", False),
        (arrived(kind="list", standing=Standing.STRANGER), "review", "review", "a stranger", False),
        (arrived(**NO_CASE, routed=TRIAGE), "triage", "triage", "no VU# in the subject", False),
        (arrived(**NO_CASE, routed=REVIEW), "review", "review", "names VU#999999", False),
        (arrived(**NO_CASE, routed=Routed(place=Place.QUARANTINE, why="beyond a limit")),
         "quarantine", "quarantine", "beyond a limit", False),
        # a From that is not to be believed: a person looks, whatever the mail names, but machines' reports stay theirs
        (arrived(**NO_CASE, routed=TRIAGE, suspicion="no From"), "review", "review", "no From", False),
        (arrived(**NO_CASE, routed=REVIEW, suspicion="no From"), "review", "review", "no From; names VU#999999", False),
        (arrived(**NO_CASE, routed=TRIAGE, suspicion="no From", kind="list"), "review", "review", "no From", False),
        (arrived(**NO_CASE, routed=TRIAGE, suspicion="no From", kind="bounce"),
         "bounces", "bounces", "a bounce report", False),
        (arrived(**NO_CASE, routed=Routed(place=Place.QUARANTINE, why="beyond a limit"), suspicion="no From"),
         "quarantine", "quarantine", "beyond a limit", False),
    ],
)  # fmt: skip
def test_each_mail_has_one_place_and_a_reason(
    event: MailArrived, place: str, queue: str | None, why: str, in_case: bool
) -> None:
    order = filed(event)
    assert (order.place, order.queue, order.why, order.in_case) == (place, queue, why, in_case)


@pytest.mark.row("S26")
@pytest.mark.row("S27")
def test_a_strangers_mail_suggests_the_case_it_names() -> None:
    assert filed(arrived(participant=None, standing=Standing.STRANGER)).suggested_vu == CASE.vu


@given(mails)
def test_every_mail_is_laid_in_exactly_one_place_first(event: MailArrived) -> None:
    orders = planned(event)
    assert isinstance(orders[0], File)
    assert not any(isinstance(order, File) for order in orders[1:])


# ---- whose turn -----------------------------------------------------------------------------------------------------

OURS = [
    Heard(VENDOR, "answered"),
    Close(VENDOR, CLOCKS_OF_SILENCE, "answered"),
    Turn(VENDOR, Waiting.US, "mail:9"),
    Set(VENDOR, DeadlineKind.ANSWER, "mail:9", 1, NOW + timedelta(days=2)),
]


def test_an_answer_that_counts_makes_it_our_turn() -> None:
    assert planned(arrived())[1:] == OURS


def test_answer_days_says_when_the_analyst_is_reminded() -> None:
    orders = plan.after(arrived(), Policy(answer_days=5), NOW)
    assert orders[-1] == Set(VENDOR, DeadlineKind.ANSWER, "mail:9", 1, NOW + timedelta(days=5))


def test_an_answer_ends_an_agreed_waiting() -> None:
    who = waiting(Waiting.NOBODY, "wait:x")
    [_, heard, closed, turn, _] = planned(arrived(participant=who))
    assert isinstance(heard, Heard)
    assert isinstance(closed, Close)
    assert DeadlineKind.WAIT in closed.kinds
    assert isinstance(turn, Turn)
    assert turn.waiting_on is Waiting.US


def test_the_first_mail_we_owe_an_answer_to_keeps_the_clock() -> None:
    who = waiting(Waiting.US, "mail:3")
    assert planned(arrived(participant=who))[1:] == [Heard(who, "answered")]


@pytest.mark.row("S28")
@pytest.mark.parametrize("state", ["open", "closed", "published", "merged"])
@pytest.mark.parametrize("standing", [Standing.CLAIMED, Standing.AUTHENTICATED, Standing.SIGNED])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("on", list(Waiting))
def test_only_an_answer_that_counts_is_heard_and_opens_what_was_closed(
    state: str, standing: Standing, counts: bool, on: Waiting
) -> None:
    event = arrived(case=in_state(state), standing=standing, counts=counts, participant=waiting(on, "mail:3"))
    heard = any(isinstance(order, Heard) for order in planned(event))
    assert heard == (counts and state != "merged")
    assert (Reopen(plan.REOPENED) in planned(event)) == (counts and state == "closed")
    assert any(isinstance(order, Turn) for order in planned(event)) == (heard and on is not Waiting.US)


@pytest.mark.row("S21")
@pytest.mark.parametrize("kind", MACHINES)
@pytest.mark.parametrize("meant", [None, Meant()])
def test_mail_of_machines_changes_nothing_but_where_it_lies(kind: str, meant: Meant | None) -> None:
    assert [type(order) for order in planned(statement(kind=kind, meant=meant))] == [File]


@given(mails)
def test_a_strangers_or_a_machines_mail_never_does_more_than_lie_somewhere(event: MailArrived) -> None:
    if event.standing is Standing.STRANGER or event.kind != "person" or event.participant is None or event.case is None:
        assert len(planned(event)) == 1


@given(mails)
def test_no_mail_makes_a_letter(event: MailArrived) -> None:
    assert not any(isinstance(order, Write) for order in planned(event))


@given(mails)
def test_a_mail_that_does_not_count_changes_no_turn_and_stops_no_clock(event: MailArrived) -> None:
    if not event.counts:
        assert not any(isinstance(order, Turn | Close | Set | Heard) for order in planned(event))


# ---- statements -----------------------------------------------------------------------------------------------------


def test_a_statement_that_stands_ends_the_waiting() -> None:
    event = statement()
    assert planned(event)[1:] == [
        KeepStatement(VENDOR, "verified", "", bound=True),
        Heard(VENDOR, "answered"),
        Close(VENDOR, ALL_CLOCKS, "statement"),
        Turn(VENDOR, Waiting.NOBODY, None),
    ]


@pytest.mark.parametrize(
    ("less", "why"),
    [
        ({"assurance": Assurance.UNSIGNED}, "it is not signed"),
        ({"assurance": Assurance.INVALID, "meant": Meant(reason="the key has expired")}, "the key has expired"),
        ({"assurance": Assurance.INVALID}, "its signature is not valid"),
        ({"assurance": Assurance.OTHER_SIGNER},
         "it is signed by a key that is not pinned to its sender's organisation"),
        ({"assurance": Assurance.PARTIAL}, "its signature covers only a part of it"),
        ({"meant": Meant(empty=True)}, "it holds no text of its own"),
        ({"signed": Signed(bound=True, replay=True)}, "the same signature came before, in another case"),
        ({"signed": Signed(bound=True, repeated=True)}, "the same signed text came before"),
        ({"signed": Signed(bound=True, stale=True)}, "it was signed more than 30 days before it came"),
        ({"signed": Signed()}, "its signature is good, but the signed text does not name the VU#"),
        ({"signed_after_latest": False}, "it was signed before the statement that stands"),
    ],
)  # fmt: skip
def test_what_is_meant_but_less_is_held_with_the_reason_and_is_an_answer(less: dict[str, object], why: str) -> None:
    event = statement(**less)
    order = kept(event)
    assert order is not None
    assert (order.state, order.reason) == ("held", why)
    assert planned(event)[2:] == OURS


@pytest.mark.parametrize("role", ["reporter", "coordinator"])
def test_only_vendors_make_statements(role: str) -> None:
    assert kept(statement(participant=replace(VENDOR, roles=(role,)))) is None


@pytest.mark.parametrize("role", ["vendor", "downstream"])
@pytest.mark.parametrize("state", ["closed", "published"])
def test_statements_are_taken_after_publication_too(role: str, state: str) -> None:
    event = statement(participant=replace(VENDOR, roles=(role,)), case=in_state(state))
    order = kept(event)
    assert order is not None
    assert order.state == "verified"
    assert Turn(event.participant, Waiting.NOBODY, None) in planned(event)


@pytest.mark.parametrize("kind", MACHINES)
def test_no_machine_and_no_stranger_opens_a_closed_case(kind: str) -> None:
    closed = in_state("closed")
    quiet = [
        arrived(kind=kind, case=closed), arrived(doubt="it looks like one", case=closed),
        arrived(standing=Standing.STRANGER, case=closed), arrived(participant=None, case=closed),
    ]  # fmt: skip
    assert not any(isinstance(order, Reopen | Heard) for one in quiet for order in planned(one) if one.doubt == "")
    assert not any(isinstance(order, Reopen) for one in quiet for order in planned(one))


@given(mails)
def test_nothing_but_verified_bound_and_newer_stands_by_itself(event: MailArrived) -> None:
    order = kept(event)
    if order is not None and order.state == "verified":
        assert event.meant is not None
        assert event.kind == "person"
        assert event.standing is not Standing.STRANGER
        assert (event.assurance, event.signed, event.meant.empty, event.signed_after_latest) == (
            Assurance.VERIFIED, Signed(bound=True), False, True,
        )  # fmt: skip


@given(mails)
def test_what_is_held_says_why_and_what_stands_does_not(event: MailArrived) -> None:
    order = kept(event)
    if order is not None:
        assert (order.state == "held") == bool(order.reason)
