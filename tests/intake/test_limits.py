"""The counters of the doors: never more than their number, never more memory than there are clients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.intake.limits import Connections, InFlight, Rates, client_of


@pytest.mark.row("S30")
@given(
    rate=st.integers(1, 30),
    gaps=st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=150),
)
def test_no_minute_sees_more_than_a_burst_and_its_refill(rate: int, gaps: list[float]) -> None:
    rates, now, admitted = Rates(rate, 0), 0.0, []
    for gap in gaps:
        now += gap
        if rates.admit("a@b", participant=False, now=now):
            admitted.append(now)
    for begin in admitted:
        assert sum(begin <= t < begin + 60 for t in admitted) <= 2 * rate


@pytest.mark.row("S30")
def test_a_burst_then_one_by_one() -> None:
    rates = Rates(60, 0)
    assert [rates.admit("a@b", participant=False, now=0.0) for _ in range(61)] == [True] * 60 + [False]
    assert rates.admit("c@d", participant=False, now=0.0), "another sender has his own"
    assert not rates.admit("A@B", participant=False, now=0.5), "case makes no other sender"
    assert rates.admit("a@b", participant=False, now=1.0)
    assert not rates.admit("a@b", participant=False, now=1.0)


def test_all_senders_together() -> None:
    rates = Rates(60, 3)
    assert [rates.admit(f"{n}@b", participant=False, now=0.0) for n in range(4)] == [True, True, True, False]
    assert rates.admit("vendor@v", participant=True, now=0.0), "a participant does not count in the total"
    assert rates.admit("4@b", participant=False, now=20.0)


def test_a_participant_has_ten_times_the_rate() -> None:
    rates = Rates(2, 1)
    assert [rates.admit("v@v", participant=True, now=0.0) for _ in range(21)] == [True] * 20 + [False]


def test_a_refusal_by_the_total_takes_nothing_from_the_sender() -> None:
    rates = Rates(1, 1)
    assert rates.admit("a@b", participant=False, now=0.0)
    assert not rates.admit("c@d", participant=False, now=0.0)
    assert rates.admit("c@d", participant=False, now=60.0)


def test_zero_is_no_limit() -> None:
    rates = Rates(0, 0)
    assert all(rates.admit("a@b", participant=False, now=0.0) for _ in range(1000))


def test_senders_that_fell_silent_are_forgotten() -> None:
    rates = Rates(60, 0)
    for number in range(50_000):
        rates.admit(f"{number}@b", participant=False, now=number * 0.1)
    assert len(rates._full_at) < 2500


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
