"""The strict sender (testbook P51 to P54) and what Authentication-Results are worth (S25)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import authenticate, parse
from mailrouter.mail.authenticate import Sender


def of(*values: str | bytes) -> Sender:
    lines = (value if isinstance(value, bytes) else value.encode() for value in values)
    return authenticate.sender(parse.mail(b"".join(b"From: " + line + b"\r\n" for line in lines) + b"\r\n"))


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        ("psirt@vendor.example", "psirt@vendor.example", ""),
        ("<psirt@vendor.example>", "psirt@vendor.example", ""),
        ("Vendor PSIRT <psirt@vendor.example>", "psirt@vendor.example", "Vendor PSIRT"),
        ('"Vendor, PSIRT" <psirt@vendor.example>', "psirt@vendor.example", "Vendor, PSIRT"),
        ('"say \\"hi\\"" <a@b.example>', "a@b.example", 'say "hi"'),
        ("J. Q. Public <a@b.example>", "a@b.example", "J. Q. Public"),
        ("=?utf-8?q?J=C3=B6rg?= <a@b.example>", "a@b.example", "Jörg"),
        ("Jörg <a@b.example>", "a@b.example", "Jörg"),
        ("Folded\r\n Name <a@b.example>", "a@b.example", "Folded Name"),
        ("PSIRT@Vendor.EXAMPLE", "psirt@vendor.example", ""),
        ("a+tag@b.example", "a+tag@b.example", ""),
    ],
)
@pytest.mark.row("P54")
def test_a_well_formed_sender(value, address, name):
    assert of(value) == Sender(address, name)
    assert of(value).domain == address.partition("@")[2]


@pytest.mark.row("P51")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"psirt@vendor.example" <eve@evil.example>', "eve@evil.example"),
        ('"psirt@vendor.example' + " " * 200 + '" <eve@evil.example>', "eve@evil.example"),
        ("=?utf-8?q?psirt=40vendor.example?= <eve@evil.example>", "eve@evil.example"),
        ("psirt@vendor.example <eve@evil.example>", ""),
    ],
)
def test_an_address_as_display_name_is_never_the_sender(value, expected):
    sender = of(value)
    assert sender.address == expected
    assert sender.malformed == ("" if expected else "at-in-phrase")


MALFORMED = [
    pytest.param([], "no-from", marks=pytest.mark.row("P52")),
    pytest.param([""], "empty", marks=pytest.mark.row("P52")),
    pytest.param(["<>"], "empty", marks=pytest.mark.row("P52")),
    pytest.param(["Vendor <>"], "empty", marks=pytest.mark.row("P52")),
    pytest.param(["Vendor PSIRT"], "no-address", marks=pytest.mark.row("P52")),
    pytest.param(["a@b.example", "c@d.example"], "several-from", marks=pytest.mark.row("P53")),
    pytest.param(["c@d.example", "a@b.example"], "several-from", marks=pytest.mark.row("P53")),
    pytest.param(["a@b.example", "a@b.example"], "several-from", marks=pytest.mark.row("P53")),
    pytest.param(["a@b.example, c@d.example"], "several-mailboxes", marks=pytest.mark.row("P53")),
    pytest.param(["A <a@b.example>, B <c@d.example>"], "several-mailboxes", marks=pytest.mark.row("P53")),
    pytest.param(["Vendors: a@b.example;"], "group", marks=pytest.mark.row("P54")),
    pytest.param(["a@b.example (Vendor)"], "comment", marks=pytest.mark.row("P54")),
    pytest.param(["(Vendor) <a@b.example>"], "comment", marks=pytest.mark.row("P54")),
    pytest.param(["<@relay.example:a@b.example>"], "syntax", marks=pytest.mark.row("P54")),
    pytest.param(["a @ b.example"], "syntax", marks=pytest.mark.row("P54")),
    pytest.param(["a@b.example."], "syntax", marks=pytest.mark.row("P54")),
    pytest.param(["a@[192.0.2.1]"], "syntax", marks=pytest.mark.row("P54")),
    pytest.param(['"quoted local"@b.example'], "syntax", marks=pytest.mark.row("P54")),
    pytest.param(["a..b@c.example"], "syntax", marks=pytest.mark.row("P54")),
    pytest.param(["<a@b.example"], "syntax", marks=pytest.mark.row("P54")),
    pytest.param(['"x"y <a@b.example>'], "syntax", marks=pytest.mark.row("P54")),
    pytest.param(["a\x00@b.example"], "control-character", marks=pytest.mark.row("P54")),
    pytest.param(["A\rBcc: x <a@b.example>"], "control-character", marks=pytest.mark.row("P54")),
    pytest.param(["\u0430@b.example"], "not-ascii", marks=pytest.mark.row("P54")),
    pytest.param(["V <a@b\u0435r.example>"], "not-ascii", marks=pytest.mark.row("P54")),
    pytest.param([b"J\xf6rg <a@b.example>"], "not-utf-8", marks=pytest.mark.row("P54")),
    pytest.param(["x" * 65 + "@b.example"], "too-long"),
    pytest.param(["a@" + "b" * 63 + ("." + "b" * 63) * 3 + ".example"], "too-long"),
    pytest.param(["x" * 3000 + " <a@b.example>"], "too-long"),
]


@pytest.mark.parametrize(("values", "reason"), MALFORMED)
def test_a_malformed_sender_is_nobody(values, reason):
    assert of(*values) == Sender(malformed=reason)


def test_sender_and_reply_to_are_never_used():
    mail = parse.mail(b"Sender: a@b.example\r\nReply-To: a@b.example\r\nFrom: eve@evil.example\r\n\r\n")
    assert authenticate.sender(mail).address == "eve@evil.example"


def test_white_space_before_the_colon_hides_no_second_from():
    assert authenticate.sender(parse.mail(b"From : a@b.example\nFROM: c@d.example\n\n")).malformed == "several-from"


@given(st.text(max_size=80).filter(lambda text: "\n" not in text))
def test_either_an_address_or_a_reason(text):
    sender = of(text.encode("utf-8", "replace"))
    assert bool(sender.address) != bool(sender.malformed)
    if sender.address:
        assert sender.address.isascii()
        assert sender.address == sender.address.lower()
        assert sender.address.count("@") == 1
        assert sender.address in text.lower()


@pytest.mark.parametrize("piece", ["@", "a@b,", "<", '"', "(", "\\", " ", "@ ", "a ", "@<", "é<", ":", ";a@"])
def test_hostile_senders_end(piece):
    of((piece * 2048)[:2040])


# ---- Authentication-Results ----------------------------------------------------------------------------------------

PASS = "mx.cert.example; dmarc=pass (p=reject) header.from=vendor.example"
AT = "psirt@vendor.example"


def passed(*headers: str, authserv_id: str | None = "mx.cert.example", address: str = AT) -> bool:
    mail = parse.mail("".join(f"{line}\r\n" for line in headers).encode() + f"From: {AT}\r\n\r\n".encode())
    return authenticate.transport_pass(mail, authserv_id, address)


@pytest.mark.row("S25")
@pytest.mark.parametrize(
    "results",
    [
        PASS,
        "mx.cert.example 1; dmarc=pass header.from=vendor.example",
        "mx.cert.example; spf=pass smtp.mailfrom=x@y; dkim=pass header.d=z; dmarc=pass header.from=VENDOR.example",
        'mx.cert.example; dmarc=pass (a (nested\\) one) "x") reason="all; good" header.from="vendor.example"',
        "mx.cert.example;\r\n dmarc = pass\r\n header.from = vendor.example",
        "(comment) mx.cert.example; DMARC=Pass header.from=vendor.example",
    ],
)
def test_our_own_server_says_pass(results):
    assert passed(f"Authentication-Results: {results}")


@pytest.mark.row("S25")
@pytest.mark.parametrize(
    "results",
    [
        "mx.cert.example; dmarc=fail header.from=vendor.example",
        "mx.cert.example; dmarc=none header.from=vendor.example",
        "mx.cert.example; none",
        "mx.cert.example",
        "mx.cert.example; dkim=pass header.d=vendor.example",
        "mx.cert.example; dmarc=pass",
        "mx.cert.example; dmarc=pass header.from=evil.example",
        "mx.cert.example; dmarc=pass header.from=mail.vendor.example",
        "mx.cert.example; dmarc=pass header.from=vendor.example.evil.example",
        "mx.cert.example; dmarc=pass header.from=vendor.example header.from=evil.example",
        "mx.cert.example; dmarc=pass header.from=vendor.example; dmarc=fail header.from=vendor.example",
        "mx.cert.example; dmarc=pass header.from=vendor.example; dmarc=pass header.from=vendor.example",
        "mx.cert.example; dmarc=fail (dmarc=pass header.from=vendor.example)",
        'mx.cert.example; dmarc=fail reason="; dmarc=pass header.from=vendor.example"',
        "mx.cert.example; spf=pass smtp.mailfrom=; dmarc=pass header.from=vendor.example (unclosed",
        "mx.cert.example; dmarc=pass header.from vendor.example",
        "MX.cert.example; dmarc=pass header.from=vendor.example",
        "mx.cert.example.evil.example; dmarc=pass header.from=vendor.example",
        "evil.example (mx.cert.example); dmarc=pass header.from=vendor.example",
        "",
        ";",
        "(",
        '"',
    ],
)
def test_anything_else_is_no_pass(results):
    assert not passed(f"Authentication-Results: {results}")


@pytest.mark.row("S25")
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["Received: from a", f"Authentication-Results: {PASS}"], True),
        ([f"Authentication-Results: {PASS}", "Received: from a"], True),
        (["Authentication-Results: mx.cert.example; spf=pass", f"Authentication-Results: {PASS}", "Received: x"], True),
        # forged ones: below the Received of our own, below another server's, beside one that says otherwise
        (
            ["Authentication-Results: mx.cert.example; spf=fail", "Received: x", f"Authentication-Results: {PASS}"],
            False,
        ),
        (["Authentication-Results: evil.example; dmarc=pass", f"Authentication-Results: {PASS}"], False),
        (["Authentication-Results: mx.cert.example; dmarc=fail", f"Authentication-Results: {PASS}"], False),
        ([f"ARC-Authentication-Results: i=1; {PASS}"], False),
        ([f"X-Authentication-Results: {PASS}"], False),
        ([], False),
    ],
)
def test_only_the_topmost_run_counts(headers, expected):
    assert passed(*headers) is expected


@pytest.mark.parametrize(("authserv_id", "address"), [(None, AT), ("", AT), ("mx.cert.example", ""), ("other", AT)])
def test_nothing_is_trusted_without_our_id_or_an_address(authserv_id, address):
    assert not passed(f"Authentication-Results: {PASS}", authserv_id=authserv_id, address=address)


@given(st.text(alphabet='mx.cert ;=()"\\dmarcpsheoflv', max_size=120))
def test_any_results_header_is_read(text):
    passed(f"Authentication-Results: {text}".replace("\n", " "))
