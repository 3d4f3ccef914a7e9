"""What a report about a letter says of the address it went to."""

import pytest

from mailrouter.case.events import Fate
from mailrouter.mail import automated, fate, parse
from tests.mail.reports import report

PSIRT = "psirt@vendor.example"
BACK = "cert+b1.aaaaaaaaaaaaaaaa@cert.example"


def of(raw: bytes, address: str = PSIRT) -> Fate | None:
    mail = parse.mail(raw)
    return fate.of_letter(mail, automated.classify(mail, ""), address)


@pytest.mark.row("S33")
@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", " 5.1.1 (unknown user)"])
def test_no_such_mailbox_means_the_address_is_dead(status: str) -> None:
    assert of(report(BACK, PSIRT, status=status)) is Fate.NO_MAILBOX


@pytest.mark.row("S33")
@pytest.mark.parametrize(
    "status",
    ["5.2.2", "5.3.4", "5.6.1", "5.7.1", "5.7.26", "5.1.7", "5.1.8", "5.1.9", "5.1.0", "5.1.4", "5.2.1", "5.4.4",
     "5.5.0", "5.0.0", "5.1.11", "5.1.100", "5.1.1.1", "4.4.7", "4.2.2", "4.0.0", "4.1.1", "x", ""],
)  # fmt: skip
def test_a_failure_for_any_other_reason_says_nothing_of_the_address(status: str) -> None:
    """A full mailbox, a mail too big, spam, our own sender refused, our SPF broken: the mailbox is there."""
    assert of(report(BACK, PSIRT, status=status)) is Fate.TROUBLE


@pytest.mark.row("S33")
@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        ("5.0.0", "smtp; 550-5.1.1 no such user", Fate.NO_MAILBOX),  # as Exim writes it
        ("5.0.0", "SMTP;550 5.1.10 RESOLVER.ADR.RecipientNotFound", Fate.NO_MAILBOX),
        ("5.1.1", "smtp; 550 5.7.26 unauthenticated mail", Fate.TROUBLE),
        ("5.1.1", "smtp; 550 no", Fate.NO_MAILBOX),
        ("5.0.0", "smtp; 550 no such user", Fate.TROUBLE),
        ("5.1.1", "x-unix; 5.7.1", Fate.NO_MAILBOX),
    ],
)
def test_what_the_refusing_server_said_counts_more_than_what_was_made_of_it(
    status: str, said: str, expected: Fate
) -> None:
    assert of(report(BACK, PSIRT, status=f"{status}\r\nDiagnostic-Code: {said}")) is expected


def two(first: tuple[str, str], second: tuple[str, str]) -> bytes:
    """A report on two recipients, each with its status."""
    group = f"\r\n\r\nFinal-Recipient: rfc822; {second[0]}\r\nAction: failed\r\nStatus: {second[1]}"
    return report(BACK, first[0], status=first[1] + group)


@pytest.mark.row("S33")
def test_of_several_recipients_the_addresss_own_code_counts() -> None:
    assert of(two((PSIRT, "5.2.2"), ("gone@vendor.example", "5.1.1"))) is Fate.TROUBLE
    assert of(two((PSIRT, "5.1.1"), ("full@vendor.example", "5.2.2"))) is Fate.NO_MAILBOX
    assert of(two((PSIRT, "5.1.1"), (PSIRT, "5.7.1"))) is Fate.TROUBLE


@pytest.mark.parametrize("field", ["Final-Recipient", "Original-Recipient"])
def test_the_address_is_compared_without_regard_to_case(field: str) -> None:
    assert of(report(BACK, PSIRT.upper(), fields=field)) is Fate.NO_MAILBOX


def test_the_address_the_letter_went_to_counts_not_what_it_was_rewritten_to() -> None:
    raw = report(BACK, "box17@inside.vendor.example").replace(
        b"Final-Recipient", f"Original-Recipient: rfc822; {PSIRT}\r\nFinal-Recipient".encode()
    )
    assert of(raw) is Fate.NO_MAILBOX


def test_a_failure_for_somebody_behind_the_address_says_nothing_of_it() -> None:
    assert of(report(BACK, "gone@vendor.example")) is Fate.BEHIND


@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.7"), ("delivered", "2.0.0"), ("relayed", "2.1.9")])
def test_what_is_no_failure_has_no_fate(action: str, status: str) -> None:
    assert of(report(BACK, PSIRT, action=action, status=status)) is None


def prose(words: str, whom: str = f"<{PSIRT}>:\r\n") -> bytes:
    """A report in qmail's own form (RFC 3464 knows nothing of it)."""
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {BACK}\r\nSubject: failure notice\r\n\r\n"
        "Hi. This is the qmail-send program at mx.example.\r\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
        f"{whom}{words}\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
        "Subject: User unknown (#5.1.1)\r\n\r\nthe mail 5.1.1 no such user\r\n"
    ).encode()


@pytest.mark.row("S33")
@pytest.mark.parametrize(
    "words",
    [
        "Sorry, no mailbox here by that name. (#5.1.1)", "550 5.1.10 not here", "Sorry, no mailbox here by that name.",
        "550 User unknown", "554 delivery error: This user doesn't have a yahoo.example account",
        "Recipient not found", "The account does not exist", "Empfänger unbekannt", "n'existe pas", "no existe",
    ],
)  # fmt: skip
def test_prose_that_says_of_the_address_that_there_is_none(words: str) -> None:
    assert of(prose(words)) is Fate.NO_MAILBOX
    assert of(prose(words), "other@vendor.example") is Fate.BEHIND


@pytest.mark.row("S33")
@pytest.mark.parametrize(
    "words",
    [
        "The user's mailbox is full / over quota. (#5.2.2)", "The user is over quota", "550 message considered spam",
        "550 5.7.1 message considered spam and rejected", "Sender address rejected: user unknown",
        "550 relaying denied", "550 SPF fail: no such user of yours", "Unknown user, or the mailbox is disabled",
        "550 5.1.1 or 5.7.1", "no",
        "#5.1.8: user unknown", "552 message too big", "",
    ],
)  # fmt: skip
def test_prose_that_says_anything_else_says_nothing_of_the_address(words: str) -> None:
    assert of(prose(words)) is Fate.TROUBLE


@pytest.mark.row("S33")
def test_a_report_that_names_nobody_says_nothing_of_the_address() -> None:
    assert of(prose("Sorry, no mailbox here by that name. (#5.1.1)", "")) is Fate.TROUBLE


def test_a_persons_mail_has_no_fate() -> None:
    assert of(f"From: {PSIRT}\r\nSubject: Re: VU#123456\r\n\r\nhello\r\n".encode()) is None
