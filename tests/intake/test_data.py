"""One mail off the wire, however it was cut into pieces."""

import asyncio
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.intake import data, replies
from mailrouter.intake.limits import InFlight
from tests.intake.house import stuffed

MB = 1024 * 1024


async def _receive(pieces: list[bytes], collector: data.Collector) -> bytes:
    """What is left in the reader behind the mail."""
    reader = asyncio.StreamReader(limit=data.CHUNK)
    reader.feed_data(data.OPENING)

    async def feed() -> None:
        for piece in pieces:
            reader.feed_data(piece)
            await asyncio.sleep(0)
        reader.feed_eof()

    feeding = asyncio.create_task(feed())
    await data.receive(reader, collector)
    await feeding
    return await reader.read()


def take(wire: bytes, cuts: list[int] = [], max_size: int = 8 * MB) -> tuple[bytes, str | None, bytes]:  # noqa: B006
    """(mail, fault, what came behind it)."""
    in_flight = InFlight(100 * MB)
    collector = data.Collector(max_size, 100 * 1024, in_flight)
    edges = [0, *sorted({min(cut, len(wire)) for cut in cuts}), len(wire)]
    rest = asyncio.run(_receive([wire[a:b] for a, b in pairwise(edges) if a < b], collector))
    mail = collector.mail()
    collector.release()
    assert in_flight.room(100 * MB), "what was counted was given back"
    return mail, collector.fault, rest


LINE = st.one_of(
    st.sampled_from([b"", b".", b"..", b"...", b".x", b"\0", b"\0.", b" .", b"From me", b"\xff\xfe", "ü".encode()]),
    st.binary(max_size=90).map(lambda octets: octets.translate(None, b"\r\n")),
)


@given(
    lines=st.lists(LINE, max_size=30),
    cuts=st.lists(st.integers(0, 400), max_size=8),
    behind=st.sampled_from([b"", b"QUIT\r\n"]),
)
def test_every_mail_comes_out_as_it_went_in(lines: list[bytes], cuts: list[int], behind: bytes) -> None:
    mail = b"".join(line + b"\r\n" for line in lines)
    assert take(stuffed(mail) + behind, cuts) == (mail, None, behind)


@given(before=st.integers(65_000, 66_100), width=st.integers(1, 1200), cut=st.integers(64_000, 67_000))
def test_the_end_may_lie_across_two_chunks(before: int, width: int, cut: int) -> None:
    body = (b"x" * width + b"\r\n") * (before // (width + 2)) + b"." * (before % (width + 2)) + b"\r\n"
    assert take(stuffed(body) + b"NOOP\r\n", [cut]) == (body, None, b"NOOP\r\n")


SMUGGLED = b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<cert@example.org>\r\nDATA\r\nSubject: second\r\n\r\nx\r\n.\r\n"
FORMS = [
    b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n .\r\n", b"\n.\r\r\n",
]  # fmt: skip


@pytest.mark.row("S01")
@pytest.mark.parametrize("form", FORMS)
def test_no_other_end_of_data_makes_two_mails(form: bytes) -> None:
    mail, fault, rest = take(b"Subject: first\r\n\r\nx" + form + SMUGGLED)
    assert rest == b"", "everything up to the true end was read as one mail"
    if b"\r" in form.replace(b"\r\n", b"") or b"\n" in form.replace(b"\r\n", b""):
        assert (mail, fault) == (b"", replies.BARE_LINE_END)
    else:
        assert fault is None
        assert mail.endswith(SMUGGLED.removesuffix(b".\r\n"))


@pytest.mark.row("S15")
def test_a_bare_cr_in_a_header_is_refused() -> None:
    assert take(b"Subject: x\rBcc: v@evil.example\r\n\r\nx\r\n.\r\n")[:2] == (b"", replies.BARE_LINE_END)


def test_size_is_that_of_the_mail_not_of_its_stuffing() -> None:
    mail = b".\r\n" * 1000
    assert take(stuffed(mail), max_size=len(mail)) == (mail, None, b"")
    assert take(stuffed(mail), max_size=len(mail) - 1) == (b"", replies.TOO_BIG, b"")


@pytest.mark.row("S08")
@pytest.mark.parametrize(("length", "fault"), [(100 * 1024 - 10, None), (100 * 1024 + 10, replies.LINE_TOO_LONG)])
@pytest.mark.parametrize("before", [0, 10, 65_530, 100_000])
def test_a_line_has_a_longest_length(before: int, length: int, fault: str | None) -> None:
    mail = b"y" * before + b"\r\n" + b"x" * length + b"\r\n"
    assert take(mail + b".\r\n", list(range(0, len(mail), 50_000)))[:2] == (b"" if fault else mail, fault)


@pytest.mark.row("S08")
def test_a_mail_without_an_end_is_given_up() -> None:
    with pytest.raises(data.EndlessError):
        take(b"x" * 3 * MB, max_size=MB)


@pytest.mark.row("S09")
def test_many_short_lines_cost_no_more_than_their_bytes() -> None:
    mail = b"\r\n" * (4 * MB)
    wire = mail + b".\r\n"
    tracemalloc.start()
    try:
        assert take(wire, list(range(0, len(wire), 2 * MB)), max_size=8 * MB)[1] is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 4 * len(mail)


def test_what_does_not_fit_into_memory_now_is_for_later() -> None:
    in_flight = InFlight(1000)
    assert in_flight.take(900)
    collector = data.Collector(MB, 1000, in_flight)
    asyncio.run(_receive([b"x" * 200 + b"\r\n.\r\n"], collector))
    assert (collector.mail(), collector.fault) == (b"", replies.NO_ROOM)
    assert in_flight.take(100), "what was refused is not counted"
