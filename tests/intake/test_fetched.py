"""The envelope a fetched mail gets: who it was for, and who sent it, as far as its headers tell."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailrouter.intake import paths
from mailrouter.intake.fetched import Postmark
from mailrouter.intake.paths import Recipients
from mailrouter.mail import automated, parse

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OURS = ("cert@cert.example", "vuls@cert.example")
POSTMARK = Postmark("imap:inbox", Recipients(OURS), OURS)


def envelope(*headers: str) -> tuple[str | None, str]:
    """Sender and recipient of a mail with these headers."""
    made = POSTMARK.envelope("\r\n".join([*headers, "", "text", ""]).encode(), NOW)
    [recipient] = made.recipients
    return made.sender, recipient


@pytest.mark.parametrize(
    ("headers", "recipient"),
    [
        ([], "cert@cert.example"),
        (["To: someone@else.example"], "cert@cert.example"),
        (["To: vuls@cert.example"], "vuls@cert.example"),
        (["To: a@b.example, Them <VULS@cert.example>"], "VULS@cert.example"),
        (["Cc: vuls@cert.example", "To: cert@cert.example"], "cert@cert.example"),
        (["Delivered-To: cert@cert.example", "X-Original-To: cert+vu123456.k7@cert.example"],
         "cert+vu123456.k7@cert.example"),
        (["Delivered-To: cert@cert.example", "To: cert+vu123456.k7@cert.example"], "cert+vu123456.k7@cert.example"),
        (["X-Original-To: cert+vu1.x@evil.example", "To: vuls@cert.example"], "vuls@cert.example"),
        (["Envelope-To: cert+b42.x@cert.example", "To: <cert+vu1.x@cert.example>"], "cert+b42.x@cert.example"),
        (["To: postmaster@cert.example"], "postmaster@cert.example"),
        (["To: " + ", ".join(f"u{n}@else.example" for n in range(300)) + ", vuls@cert.example"], "cert@cert.example"),
        (["To: @cert.example:cert@cert.example, \"x y\"@cert.example"], "cert@cert.example"),
    ],
)  # fmt: skip
def test_who_it_was_for(headers: list[str], recipient: str) -> None:
    assert envelope(*headers)[1] == recipient


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ([], None),
        (["Return-Path: <psirt@vendor.example>"], "psirt@vendor.example"),
        (["Return-Path: <>"], ""),
        (["Return-Path:  < >"], None),
        (["Return-Path: psirt@vendor.example"], None),
        (["Return-Path: <a@b.example> <c@d.example>"], None),
        (["Return-Path: <a\u00a0b@vendor.example>"], None),
        (["Return-Path: <real@border.example>", "Return-Path: <forged@else.example>"], "real@border.example"),
        (["Return-Path:", " <folded@vendor.example>"], "folded@vendor.example"),
    ],
)
def test_who_sent_it(headers: list[str], sender: str | None) -> None:
    assert envelope(*headers)[0] == sender


@pytest.mark.parametrize(("headers", "kind"), [(["Return-Path: <>"], "automatic"), ([], "person")])
def test_an_unknown_sender_is_no_null_sender(headers: list[str], kind: str) -> None:
    """Else every mail of a server that writes no Return-Path would be a machine's."""
    raw = "\r\n".join([*headers, "From: a@vendor.example", "", "text", ""]).encode()
    made = POSTMARK.envelope(raw, NOW)
    assert automated.classify(parse.mail(raw), made.sender).kind == kind


@given(some.binary(max_size=400))
def test_any_bytes_get_the_same_envelope_each_time(raw: bytes) -> None:
    made = POSTMARK.envelope(raw, NOW)
    assert made.raw == raw
    assert made == POSTMARK.envelope(raw, NOW)
    assert Recipients(OURS).has(paths.parse(f"<{made.recipients[0]}>"))
