"""A case, its participants and what happens to them, for tests of the pure rules; and what Hypothesis makes of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from mailrouter.case.conditions import Signed
from mailrouter.case.events import FellDue, MailArrived, Meant, Routed
from mailrouter.case.model import ROLES, Case, Deadline, DeadlineKind, Participant, Waiting
from mailrouter.case.standing import Assurance, Standing

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
CASE = Case(
    id=7, vu=123456, title="A flaw", state="open", analyst_id=3, analyst="alice", urgent=False, opened_at=NOW,
    closed_at=None, embargo="ACTIVE", embargo_ends_at=None, first_contact_at=NOW, planned_at=None,
)  # fmt: skip
VENDOR = Participant(
    id=11, case_id=7, organisation_id=21, name="Vendor", roles=("vendor",), progress="contacted", consent="INVITED",
    waiting_on=Waiting.THEM, since="letter:1", wait_until=None, last_heard_at=None, last_automatic_at=None,
    follow_ups_sent=0, their_ref="", anonymous=False, rm="RECEIVED", aware_at=NOW,
)  # fmt: skip
MACHINES = ("bounce", "delay", "dsn-success", "mdn", "auto-reply", "list", "report", "automatic")


def arrived(**values: Any) -> MailArrived:
    """A person's mail of the vendor in the open case, of standing `claimed`, that counts; changed as said."""
    usual = MailArrived(
        since="mail:9", routed=Routed(case_id=7, claimed_vu=123456), kind="person", standing=Standing.CLAIMED,
        assurance=Assurance.UNSIGNED, counts=True, case=CASE, participant=VENDOR, stranger_why="a stranger",
    )  # fmt: skip
    return replace(usual, **values)


def statement(**values: Any) -> MailArrived:
    """A mail that is all a statement needs to be to stand; changed as said."""
    good = {
        "standing": Standing.SIGNED,
        "assurance": Assurance.VERIFIED,
        "signed": Signed(bound=True),
        "meant": Meant(),
    }
    return arrived(**(good | values))


def waiting(on: Waiting, since: str | None = None, **values: Any) -> Participant:
    """The vendor, when it is this one's turn."""
    return replace(VENDOR, waiting_on=on, since=since, **values)


def in_state(state: str) -> Case:
    """The case, open, closed or published."""
    return replace(CASE, state=state)


def fell_due(
    kind: DeadlineKind = DeadlineKind.FOLLOW_UP, rung: int = 1, participant: Participant = VENDOR, case: Case = CASE,
    since: str = "letter:1",
) -> FellDue:  # fmt: skip
    """A deadline of the vendor's whose time has come."""
    return FellDue(Deadline(2, case.id, participant.id, kind, since, rung, NOW), case, participant)


# ---- anything that may happen ---------------------------------------------------------------------------------------

cases = st.sampled_from([in_state(state) for state in ("open", "closed", "published", "merged")])
participants = st.builds(
    replace, st.just(VENDOR), roles=st.sampled_from([(role,) for role in ROLES] + [("vendor", "reporter")]),
    waiting_on=st.sampled_from(Waiting), since=st.sampled_from([None, "letter:1", "mail:3"]),
)  # fmt: skip
meants = st.none() | st.builds(Meant, empty=st.booleans(), reason=st.sampled_from(["", "bad"]))
signeds = st.builds(Signed, bound=st.booleans(), stale=st.booleans(), replay=st.booleans(), repeated=st.booleans())
mails = st.builds(
    arrived, kind=st.sampled_from(["person", *MACHINES]), standing=st.sampled_from(Standing),
    assurance=st.sampled_from(Assurance), counts=st.booleans(), case=st.none() | cases,
    participant=st.none() | participants, signed=signeds, meant=meants, signed_after_latest=st.booleans(),
)  # fmt: skip
instants = st.timedeltas(timedelta(0), timedelta(days=7000)).map(lambda lapse: datetime(2020, 1, 1, tzinfo=UTC) + lapse)
DAY = timedelta(days=1)
