"""The strict sender (testbook P51 to P54) and what Authentication-Results are worth (S25)."""

from time import process_time

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
        "mx.cert.example; dmarc/1=pass header.from=vendor.example",
        "mx.cert.example; dmarc=pass header.from=vendor.example;",  # some servers end it so
        "mx.cert.example; iprev=pass policy.iprev=2001:db8::1; dmarc=pass header.from=vendor.example",
        "mx.cert.example; arc=fail (as[1] bad); dmarc=pass header.from=vendor.example",
        # no verdict of DMARC: a pass of DKIM or SPF for exactly the domain of From
        "mx.cert.example; dkim=pass header.d=vendor.example header.s=sel",
        "mx.cert.example; dkim=pass header.i=@vendor.example header.s=sel header.b=abc",
        "mx.cert.example; dkim=fail header.d=vendor.example; dkim=pass header.d=vendor.example header.s=other",
        "mx.cert.example; dkim=pass header.d=esp.example; dkim=pass header.d=vendor.example",
        "mx.cert.example; spf=pass smtp.mailfrom=bounces@Vendor.example",
        "mx.cert.example; spf=pass smtp.mailfrom=prvs=012345abcd=psirt@vendor.example",
        "mx.cert.example; spf=pass smtp.mailfrom=SRS0=a=b=c=x@relay.example; dmarc=pass header.from=vendor.example",
        "mx.cert.example; spf=pass smtp.mailfrom=vendor.example smtp.helo=mail.other.example",
        "mx.cert.example; spf=softfail smtp.mailfrom=vendor.example; dkim=pass header.d=vendor.example",
        "mx.cert.example; dmarc=none header.from=vendor.example; dkim=pass header.d=vendor.example",
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
        "mx.cert.example 2; dmarc=pass header.from=vendor.example",
        "mx.cert.example 1 1; dmarc=pass header.from=vendor.example",
        "mx.cert.example; dmarc=bestguesspass header.from=vendor.example",
        'mx.cert.example; dmarc=fail reason=";" x=y',
        'mx.cert.example; spf=fail reason ";" dmarc "=" pass header.from "=" vendor.example',
        'mx.cert.example "; dmarc=pass header.from=vendor.example"',
        # DKIM or SPF: not of this domain, not passed, not said once, or against DMARC's own verdict
        "mx.cert.example; dkim=pass header.d=evil.example",
        "mx.cert.example; dkim=pass header.d=example",
        "mx.cert.example; dkim=pass header.d=mail.vendor.example",
        "mx.cert.example; dkim=pass header.d=evil.example header.i=@vendor.example",
        "mx.cert.example; dkim=pass header.d=vendor.example header.d=evil.example",
        "mx.cert.example; dkim=pass header.from=vendor.example",
        "mx.cert.example; dkim=policy header.d=vendor.example",
        "mx.cert.example; spf=pass smtp.helo=vendor.example",
        "mx.cert.example; spf=pass smtp.mailfrom=psirt@vendor.example@evil.example",
        'mx.cert.example; spf=pass smtp.mailfrom="psirt@vendor.example"@evil.example',
        "mx.cert.example; spf=neutral smtp.mailfrom=vendor.example",
        "mx.cert.example; spf=pass smtp.mailfrom=vendor.example=x@evil.example",
        "mx.cert.example; spf=fail smtp.mailfrom=dmarc=pass header.from=vendor.example",
        "mx.cert.example; dmarc==pass header.from=vendor.example",
        "mx.cert.example; dmarc=pass= header.from=vendor.example",
        "mx.cert.example; dmarc=fail header.from=vendor.example; dkim=pass header.d=vendor.example",
        "mx.cert.example; dmarc=temperror header.from=vendor.example; spf=pass smtp.mailfrom=vendor.example",
        "mx.cert.example; dmarc=none header.from=vendor.example; dkim=pass header.d=evil.example",
        "mx.cert.example; dmarc=none; dmarc=none; dkim=pass header.d=vendor.example",
        "mx.cert.example; arc=pass (i=1 spf=pass spfdomain=vendor.example); dmarc=fail header.from=vendor.example",
        "mx.cert.example; auth=pass smtp.auth=psirt@vendor.example",
        "mx.cert.example; dkim-atps=pass header.from=vendor.example",
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
        ([f"ARC-Authentication-Results: i=1; {PASS}", "ARC-Seal: i=1; cv=none; d=evil.example; s=x; b=eA=="], False),
        (["Received-SPF: pass (mx.cert.example) client-ip=192.0.2.1; envelope-from=psirt@vendor.example"], False),
        (["X-Original-Authentication-Results: " + PASS, "X-DKIM-Status: pass vendor.example"], False),
        (["Authentication-Results: mx.cert.example; none", "Received: x", f"Authentication-Results: {PASS}"], False),
        ([f"X-Authentication-Results: {PASS}"], False),
        ([], False),
    ],
)
def test_only_the_topmost_run_counts(headers, expected):
    assert passed(*headers) is expected


@pytest.mark.parametrize(("authserv_id", "address"), [(None, AT), ("", AT), ("mx.cert.example", ""), ("other", AT)])
def test_nothing_is_trusted_without_our_id_or_an_address(authserv_id, address):
    assert not passed(f"Authentication-Results: {PASS}", authserv_id=authserv_id, address=address)


@pytest.mark.row("S25")
def test_a_pass_for_the_signer_is_none_for_the_name_that_is_shown():
    mail = parse.mail(
        b"Authentication-Results: mx.cert.example; dkim=pass header.d=evil.example; dmarc=pass header.from=evil.example"
        b'\r\nFrom: "psirt@vendor.example" <eve@evil.example>\r\n\r\n'
    )
    sender = authenticate.sender(mail)
    assert sender.address == "eve@evil.example"
    assert authenticate.transport_pass(mail, "mx.cert.example", sender.address)  # it is Eve's, and nobody knows Eve
    assert not authenticate.transport_pass(mail, "mx.cert.example", AT)


anything = st.text(alphabet='mx.cert ;=()"\\dmarcpsheoflv@\t\u00e9', max_size=120) | st.text(max_size=200)


@given(anything)
def test_any_results_header_is_read(text):
    passed(f"Authentication-Results: {text}".replace("\n", " "))


@given(st.binary(max_size=200))
def test_any_bytes_are_read(octets):
    authenticate._results(octets)


@pytest.mark.row("S25")
@given(anything.filter(lambda text: "mx.cert.example" not in text))
def test_no_other_servers_word_ever_counts(text):
    assert not passed(f"Authentication-Results: {text}".replace("\n", " "), f"Authentication-Results: {PASS}")


@given(st.text(alphabet="ab=;() \t", max_size=40))
def test_what_stands_in_a_comment_or_in_quotes_says_nothing(text):
    inside = text.replace("(", "").replace(")", "")
    assert not passed(f"Authentication-Results: mx.cert.example; dmarc=fail ({inside}) header.from=vendor.example")
    assert not passed(f'Authentication-Results: mx.cert.example; dmarc=fail reason="{text}" header.from=vendor.example')
    assert passed(f'Authentication-Results: mx.cert.example; dmarc=pass reason="{text}" header.from=vendor.example')


@pytest.mark.row("S25")
@pytest.mark.parametrize(
    "piece",
    ["(", ")", "()", "(a)", '"', '\\"', "\\", "; x=y", "a=", "=", ";", "a ", "@", "; dkim=pass header.d=x", "(\\("],
)
def test_hostile_results_end(piece):
    """A megabyte, far more than a header may have; what takes a square of the time would take minutes."""
    before = process_time()
    authenticate._results(("mx.cert.example; " + piece * (1_000_000 // len(piece))).encode())
    assert process_time() - before < 10
