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


@pytest.mark.parametrize("status", ["5.1.1", "5.1.10", "5.0.0", "5.2.1", "5.7.1", "x", "5.1.1 (unknown user)"])
def test_a_failure_for_the_address_itself_means_it_is_dead(status: str) -> None:
    assert of(report(BACK, PSIRT, status=status)) is Fate.NO_MAILBOX


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


@pytest.mark.parametrize("status", ["4.4.7", "4.2.2", "4.0.0"])
def test_what_was_given_up_after_refusals_for_now_may_be_good(status: str) -> None:
    assert of(report(BACK, PSIRT, status=status)) is Fate.TROUBLE


@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.7"), ("delivered", "2.0.0"), ("relayed", "2.1.9")])
def test_what_is_no_failure_has_no_fate(action: str, status: str) -> None:
    assert of(report(BACK, PSIRT, action=action, status=status)) is None


def test_prose_that_names_the_address_is_a_failure_of_it() -> None:
    """qmail's own form (RFC 3464 knows nothing of it)."""
    raw = (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {BACK}\r\nSubject: failure notice\r\n\r\n"
        "Hi. This is the qmail-send program at mx.example.\r\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
        f"<{PSIRT}>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n--- Below this line is a copy\r\n"
    ).encode()
    assert of(raw) is Fate.NO_MAILBOX
    assert of(raw, "other@vendor.example") is Fate.BEHIND


def test_a_persons_mail_has_no_fate() -> None:
    assert of(f"From: {PSIRT}\r\nSubject: Re: VU#123456\r\n\r\nhello\r\n".encode()) is None
