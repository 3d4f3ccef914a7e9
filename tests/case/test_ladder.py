"""The ladder over any course of things: letters by people, details that follow, letters about keys, answers, waiting.

A small house keeps one vendor's turn and clocks as the flows do, a beat a day or now and then; the rules are the real
ones. Receipts are no automatic letters in this sense: they answer, whenever something comes.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import actions as do
from mailrouter.case import followup, plan
from mailrouter.case.events import FellDue
from mailrouter.case.model import Deadline, DeadlineKind, Participant, Waiting
from mailrouter.case.policy import Policy
from mailrouter.case.silence import Attempt, Tried
from tests.case.people import CASE, DAY, NOW, VENDOR, arrived

A, B = "a@v.example", "b@v.example"
NOT_YET = replace(VENDOR, waiting_on=Waiting.NOBODY, since=None)


@dataclass
class Course:
    """One vendor, its clocks, and everything that was sent to it."""

    policy: Policy
    who: Participant = NOT_YET
    now: datetime = NOW
    rows: dict[tuple[DeadlineKind, str, int], Deadline] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    automatic: list[datetime] = field(default_factory=list)
    rungs: list[tuple[str, int]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    number: int = 0

    def step(self, what: str, days: float) -> None:
        """Something happens, then time passes, with a beat at its end."""
        getattr(self, what)()
        self.now += timedelta(days=days)
        self.beat()

    # ---- what may happen ---------------------------------------------------------------------------------------------

    def nothing(self) -> None:
        """Only time passes."""

    def letter(self) -> None:
        """A person asks; the details that follow a key do so too."""
        self.number += 1
        runs = any(row.kind is DeadlineKind.FOLLOW_UP for row in self.open())
        self.attempts.append(Attempt(A, self.now))
        orders = followup.opens(self.who, f"letter:{self.number}", self.policy, self.now, clock_runs=runs)
        self.perform(orders)

    def answer(self) -> None:
        """A mail of theirs that counts."""
        self.number += 1
        mail = arrived(since=f"mail:{self.number}", participant=self.who, case=CASE)
        self.perform([order for order in plan.after(mail, self.policy, self.now) if not isinstance(order, do.File)])

    def key(self) -> None:
        """A letter about their key, which keeps the gap itself (flow/timing/keydates.py)."""
        if followup.gap_ends(self.who, self.policy, self.now) <= self.now:
            self._sent_by_itself()

    def dealt_with(self) -> None:
        """Nothing of theirs waits any more."""
        self.perform([do.Close(self.who, do.ALL_CLOCKS, "dealt with"), do.Turn(self.who, Waiting.NOBODY, None)])

    def beat(self) -> None:
        """Each due row, as flow/timing/remind.py takes them."""
        for row in sorted(self.open(), key=lambda row: (row.due_at, row.id)):
            if row.due_at <= self.now and row.done_at is None:
                tried = Tried(self.attempts, frozenset({A, B}))
                self.perform(plan.after(FellDue(row, CASE, self.who, tried=tried), self.policy, self.now))

    # ---- as flow/act/ carries it out ---------------------------------------------------------------------------------

    def open(self) -> list[Deadline]:
        """What is still to come."""
        return [row for row in self.rows.values() if row.done_at is None]

    def perform(self, orders: do.Actions) -> None:
        """In their order."""
        for order in orders:
            if not (self._clock(order) or self._turn(order)):
                assert isinstance(order, do.Notice | do.Receipt), order
                self.told += [order.once] if isinstance(order, do.Notice) else []

    def _clock(self, order: do.Action) -> bool:
        match order:
            case do.Close(kinds=kinds):
                for row in [one for one in self.open() if one.kind in kinds]:
                    self._done(row)
            case do.Set(kind=kind, since=since, rung=rung, due_at=due_at):
                row = Deadline(len(self.rows), CASE.id, self.who.id, kind, since, rung, due_at)
                self.rows.setdefault((kind, since, rung), row)
            case do.Finish(deadline_id=one):
                self._done(self._row(one))
            case do.Postpone(deadline_id=one, due_at=due_at):
                assert due_at > self.now
                row = self._row(one)
                self.rows[row.kind, row.since, row.rung] = replace(row, due_at=due_at)
            case _:
                return False
        return True

    def _turn(self, order: do.Action) -> bool:
        match order:
            case do.Turn(waiting_on=turn, since=since):
                self.who = replace(self.who, waiting_on=turn, since=since)
            case do.Heard(progress=progress):
                self.who = replace(self.who, progress=progress, last_heard_at=self.now)
            case do.Progress(progress=progress):
                self.who = replace(self.who, progress=progress)
            case do.Write(since=since, rung=rung):
                assert self.who.waiting_on is Waiting.THEM
                self.rungs.append((since, rung))
                self.attempts.append(Attempt(A if rung == 1 else B, self.now))
                self._sent_by_itself()
            case _:
                return False
        return True

    def _row(self, number: int) -> Deadline:
        return next(row for row in self.rows.values() if row.id == number)

    def _done(self, row: Deadline) -> None:
        self.rows[row.kind, row.since, row.rung] = replace(row, done_at=self.now)

    def _sent_by_itself(self) -> None:
        self.automatic.append(self.now)
        self.who = replace(self.who, last_automatic_at=self.now)


steps = st.lists(
    st.tuples(
        st.sampled_from(("nothing", "nothing", "letter", "answer", "key", "dealt_with")),
        st.sampled_from((0.0, 0.5, 1.0, 3.9, 4.0, 7.0, 14.0, 45.0)),
    ),
    max_size=40,
)
policies = st.builds(
    Policy, follow_up_days=st.integers(1, 20), follow_ups=st.integers(0, 4), letter_gap_days=st.integers(0, 8)
)


def course(policy: Policy, happens: list[tuple[str, float]]) -> Course:
    """All of it, one step after the other."""
    made = Course(policy)
    for what, days in happens:
        made.step(what, days)
    return made


@given(policies, steps)
def test_two_automatic_letters_are_never_within_the_gap(policy: Policy, happens: list[tuple[str, float]]) -> None:
    sent = course(policy, happens).automatic
    assert all(later - former >= policy.letter_gap_days * DAY for former, later in pairwise(sent))


@given(policies, steps)
def test_each_rung_is_climbed_once_in_its_order_and_no_more_than_there_are(
    policy: Policy, happens: list[tuple[str, float]]
) -> None:
    made = course(policy, happens)
    for since in {since for since, _ in made.rungs}:
        climbed = [rung for one, rung in made.rungs if one == since]
        assert climbed == list(range(1, len(climbed) + 1))
        assert len(climbed) <= policy.follow_ups
    assert len(set(made.told)) == len(made.told)


@given(policies.filter(lambda policy: policy.follow_ups > 1), steps)
def test_a_silence_that_lasts_ends_with_a_person_and_calls_them_gone(
    policy: Policy, happens: list[tuple[str, float]]
) -> None:
    made = course(policy, [*happens, ("answer", 1), ("dealt_with", 1), ("letter", 0.5)])
    began = made.who.since
    for _ in range(200):
        made.step("nothing", 1)
    assert any(once.startswith(f"follow-up:{VENDOR.id}:{began}:") for once in made.told)
    assert made.who.progress == "non-responsive"
    assert made.open() == []
