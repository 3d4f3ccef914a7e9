"""The counters of the doors: never more than their number, never more memory than there are clients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.intake.limits import Connections, InFlight, Rates, client_of


@pytest.mark.row("S30")
@given(
    rate=st.integers(1, 30),
    total=st.integers(0, 40),
    tries=st.lists(st.tuples(st.floats(0, 20), st.sampled_from("abc"), st.booleans()), min_size=1, max_size=150),
)
def test_in_no_minute_is_more_admitted_than_the_rates_say(
    rate: int, total: int, tries: list[tuple[float, str, bool]]
) -> None:
    rates, now = Rates(rate, total), 0.0
    admitted: list[tuple[float, str, bool]] = []
    for gap, sender, participant in tries:
        now += gap
        whose = f"{sender}@{'vendor' if participant else 'stranger'}.example"
        if rates.admit(whose, participant=participant, now=now):
            admitted.append((now, whose, participant))
        lately = [one for one in admitted if one[0] > now - 60]
        mine = sum(one[1] == whose for one in lately)
        strangers = sum(not one[2] for one in lately)
        assert mine <= rate * (10 if participant else 1)
        assert not total or strangers <= total
        refused = not admitted or admitted[-1][0] != now
        assert not refused or mine >= rate or (total and strangers >= total), "nobody is refused without a reason"


@pytest.mark.row("S30")
def test_sixty_in_a_minute_then_none_until_the_first_is_a_minute_old() -> None:
    rates = Rates(60, 0)
    assert [rates.admit("a@b", participant=False, now=float(second)) for second in range(60)] == [True] * 60
    assert not rates.admit("a@b", participant=False, now=59.9)
    assert not rates.admit("A@B", participant=False, now=59.9), "case makes no other sender"
    assert rates.admit("c@d", participant=False, now=59.9), "another sender has his own"
    assert rates.admit("a@b", participant=False, now=60.0)
    assert not rates.admit("a@b", participant=False, now=60.5)


def test_all_senders_together() -> None:
    rates = Rates(60, 3)
    assert [rates.admit(f"{n}@b", participant=False, now=0.0) for n in range(4)] == [True, True, True, False]
    assert rates.admit("vendor@v", participant=True, now=0.0), "a participant does not count in the total"
    assert not rates.admit("4@b", participant=False, now=59.0)
    assert rates.admit("4@b", participant=False, now=60.0)


def test_a_participant_has_ten_times_the_rate() -> None:
    rates = Rates(2, 1)
    assert [rates.admit("v@v", participant=True, now=0.0) for _ in range(21)] == [True] * 20 + [False]


def test_whoever_becomes_a_participant_meanwhile_keeps_what_he_has_sent() -> None:
    rates = Rates(2, 2)
    assert [rates.admit("v@v", participant=False, now=0.0) for _ in range(3)] == [True, True, False]
    assert [rates.admit("v@v", participant=True, now=1.0) for _ in range(19)] == [True] * 18 + [False]
    assert rates.admit("a@b", participant=False, now=60.0), "what came in before counts as what it was then"


def test_a_refusal_by_the_total_takes_nothing_from_the_sender() -> None:
    rates = Rates(1, 1)
    assert rates.admit("a@b", participant=False, now=0.0)
    assert not rates.admit("c@d", participant=False, now=0.0)
    assert rates.admit("c@d", participant=False, now=60.0)


@pytest.mark.parametrize("participant", [True, False])
def test_zero_is_no_limit(participant: bool) -> None:
    rates = Rates(0, 0)
    assert all(rates.admit("a@b", participant=participant, now=0.0) for _ in range(1000))
    assert not rates._admitted


@pytest.mark.row("S30")
@pytest.mark.parametrize(("per_sender", "total", "most"), [(60, 600, 600), (60, 0, 600), (0, 600, 600)])
def test_what_is_remembered_is_what_was_admitted_in_the_last_minute(per_sender: int, total: int, most: int) -> None:
    """Fifty thousand senders, ten a second: the rates, or the door's own speed, bound the table; silence empties it."""
    rates = Rates(per_sender, total)
    for number in range(50_000):
        rates.admit(f"{number}@b", participant=False, now=number * 0.1)
    assert len(rates._admitted) <= most + 1
    assert len(rates._by_sender) <= len(rates._admitted)
    rates.admit("last@b", participant=False, now=10_000.0)
    assert (len(rates._admitted), rates._by_sender, rates._of_strangers) == (1, {"last@b": 1}, 1)


@pytest.mark.row("S30")
def test_who_is_refused_leaves_nothing_behind() -> None:
    rates = Rates(60, 600)
    for number in range(100_000):
        rates.admit(f"{number}@b", participant=False, now=0.0)
    assert len(rates._admitted) == len(rates._by_sender) == 600


def test_connections_in_all_and_per_client() -> None:
    connections = Connections(3, 2)
    assert [connections.admit(client) for client in ("a", "a", "a", "", "b")] == [True, True, False, True, False]
    connections.release("a")
    assert connections.admit("b")
    assert not connections.admit("")


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        (("192.0.2.1", 5), "192.0.2.1"),
        (("127.0.0.1", 5), ""),
        (("127.9.9.9", 5), ""),
        (("::1", 5, 0, 0), ""),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1"),
        (("::ffff:127.0.0.1", 5, 0, 0), ""),
        (("2001:db8:1:2:3::1", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 2), "fe80::/64"),
        ("", ""),
        (None, ""),
    ],
)
def test_who_a_client_is(peer: object, client: str) -> None:
    assert client_of(peer) == client


@given(st.lists(st.integers(0, 60)))
def test_what_is_in_flight_never_exceeds_its_bound(sizes: list[int]) -> None:
    in_flight, held = InFlight(100), []
    for size in sizes:
        if in_flight.take(size):
            held.append(size)
        elif held:
            in_flight.give(held.pop())
        assert sum(held) <= 100
        assert in_flight.room(100 - sum(held))
        assert not in_flight.room(101 - sum(held))
