"""What an IMAP server's answers say: as aioimaplib gives them, from servers of several makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailrouter.mailbox import answers
from mailrouter.mailbox.answers import Line, Selected

DOVECOT: list[Line] = [
    rb"FLAGS (\Answered \Flagged \Deleted \Seen \Draft)",
    rb"OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted.",
    b"172 EXISTS",
    b"1 RECENT",
    b"OK [UIDVALIDITY 3857529045] UIDs valid",
    b"OK [UIDNEXT 4392] Predicted next UID",
    b"[READ-WRITE] Select completed.",
]
EXCHANGE: list[Line] = [
    b"3 EXISTS",
    rb"OK [PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft $MDNSent)] Permanent flags",
    b"OK [UIDVALIDITY 14] UIDVALIDITY value",
    b"[READ-WRITE] SELECT completed.",
]


@pytest.mark.parametrize(
    ("lines", "selected"),
    [
        (DOVECOT, Selected(3857529045, 172, keywords=True, writable=True)),
        (EXCHANGE, Selected(14, 3, keywords=False, writable=True)),
        ([b"[READ-ONLY] done"], Selected(0, 0, keywords=False, writable=False)),
        ([rb"OK [PERMANENTFLAGS (\Seen mailroutertaken)]", b"done"], Selected(0, 0, keywords=True, writable=True)),
    ],
)
def test_a_folder_that_is_opened(lines: list[Line], selected: Selected) -> None:
    assert answers.selected(lines, "MailrouterTaken") == selected


@pytest.mark.parametrize(
    ("lines", "uids"),
    [
        ([b"2 3 6", b"Search completed (0.001 + 0.000 secs)."], [2, 3, 6]),
        ([b"", b"Search completed 17 times"], []),
        ([b"Search completed"], []),
        ([b"7 5", b"5 6", b"done"], [5, 6, 7]),
        ([b"4 (MODSEQ 917)", b"5", b"done"], [5]),
    ],
)
def test_a_search(lines: list[Line], uids: list[int]) -> None:
    assert answers.found(lines) == uids


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ([b'"Done" (MESSAGES 231)', b"Status completed"], 231),
        ([b"{4}", bytearray(b"Done"), b" (MESSAGES 0)", b"ok"], 0),
        ([b"ok"], None),
    ],
)
def test_a_count(lines: list[Line], count: int | None) -> None:
    assert answers.counted(lines) == count


def test_sizes_among_what_nobody_asked_for() -> None:
    lines: list[Line] = [
        b"1 FETCH (UID 5 RFC822.SIZE 342)",
        rb"9 FETCH (FLAGS (\Seen))",
        b"2 FETCH (RFC822.SIZE 7 UID 6)",
        b"3 FETCH (UID 8)",
        b"Fetch completed",
    ]
    assert answers.sizes(lines) == {5: 342, 6: 7}


@pytest.mark.parametrize(
    "lines",
    [
        [b"1 FETCH (UID 5 BODY[] {3}", bytearray(b"a\r\n"), b")", b"Fetch completed"],
        [b"1 FETCH (BODY[] {3}", bytearray(b"a\r\n"), b" UID 5)", b"Fetch completed"],
        [b"1 FETCH (UID 5 BODY[] {3}", bytearray(b"a\r\n"), b")", rb"1 FETCH (FLAGS (\Recent))", b"ok"],
        [rb"2 FETCH (UID 5 FLAGS (\Seen))", b"1 FETCH (FLAGS () UID 5 body[] {3}", bytearray(b"a\r\n"), b")", b"ok"],
        [b"1 FETCH (UID 5 BODY[] {3}", bytearray(b"a\r\n"), b")", b"2 FETCH (UID 6 BODY[] NIL)", b"ok"],
    ],
)
def test_a_mail(lines: list[Line]) -> None:
    assert answers.bodies(lines) == {5: b"a\r\n"}


@pytest.mark.parametrize(
    ("line", "only"),
    [
        (rb"* 7 FETCH (FLAGS (\Seen $Junk))", True),
        (rb"* 7 FETCH (UID 12 FLAGS ())", True),
        (rb"* 7 FETCH (FLAGS (\Seen) UID 12 MODSEQ (917))", True),
        (b"* 7 FETCH (UID 12 RFC822.SIZE 10)", False),
        (rb"* 7 FETCH (FLAGS (\Seen) UID 12 BODY[] {10}", False),
        (b"* 7 EXISTS", False),
        (b"A1 OK FETCH (FLAGS ())", False),
    ],
)
def test_what_others_did_to_flags(line: bytes, only: bool) -> None:
    assert answers.is_of_flags_only(line) is only


def test_mails_in_quotes() -> None:
    lines: list[Line] = [b'1 FETCH (UID 1 BODY[] "")', rb'2 FETCH (UID 2 BODY[] "a \"b\" \\c")', b"ok"]
    assert answers.bodies(lines) == {1: b"", 2: rb'a "b" \c'}


def test_a_mail_that_looks_like_an_answer() -> None:
    """What stands in a literal is never read as the server's word."""
    raw = bytearray(b"2 FETCH (UID 6 BODY[] {3}\r\nA1 OK\r\n")
    assert answers.bodies([b"1 FETCH (UID 5 BODY[] {35}", raw, b")", b"ok"]) == {5: bytes(raw)}


@given(some.lists(some.binary(max_size=60) | some.builds(bytearray, some.binary(max_size=20)), max_size=8))
def test_nonsense_is_left_out(lines: list[Line]) -> None:
    for read in (answers.found, answers.counted, answers.sizes, answers.bodies):
        read(lines)
    answers.selected(lines, "x")


@pytest.mark.parametrize(
    ("name", "written"),
    [  # RFC 3501 section 5.1.3, and what Dovecot calls them
        ("INBOX", '"INBOX"'),
        ("Erledigt & gelöscht", '"Erledigt &- gel&APY-scht"'),
        ("~peter/mail/台北/日本語", '"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),
        ('a "b" \\c', r'"a \"b\" \\c"'),
        ("📬", '"&2D3c7A-"'),
    ],
)
def test_a_folder_is_written(name: str, written: str) -> None:
    assert answers.folder(name) == written


@given(some.text())
def test_a_folder_is_ascii(name: str) -> None:
    assert answers.folder(name.encode("utf-8", "replace").decode()).isascii()


@given(some.sets(some.integers(1, 500)))
def test_a_set_names_what_is_meant_and_no_other(uids: set[int]) -> None:
    written = answers.uid_set(uids)
    ranges = [part.partition(":") for part in written.split(",") if part]
    assert {uid for low, _, high in ranges for uid in range(int(low), int(high or low) + 1)} == uids


def test_a_set_is_short() -> None:
    assert answers.uid_set([3, 1, 2, 7]) == "1:3,7"
    assert answers.uid_set(range(1, 101)) == "1:100"
