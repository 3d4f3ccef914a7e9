"""What MAIL and RCPT may say, and who is a recipient."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.faults import Refused
from mailrouter.intake.paths import Recipients, parse

OURS = Recipients(("cert@example.org", "VUL@Notes.example.org"))


@pytest.mark.parametrize(
    ("argument", "mailbox"),
    [
        ("<a@b.example>", "a@b.example"),
        (" <a@b.example>", "a@b.example"),
        ("<>", ""),
        ("<postmaster>", "postmaster"),
        ("<user.@docomo.example>", "user.@docomo.example"),
        ("<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
        ('<"a b"@c.example>', '"a b"@c.example'),
        ('<"a\\"b"@c.example>', '"a\\"b"@c.example'),
        ("<müller@bücher.example>", "müller@bücher.example"),
        ("<SRS0=HHH=TT=a.example=user@b.example>", "SRS0=HHH=TT=a.example=user@b.example"),
        ("<" + "a" * 242 + "@example.org>", "a" * 242 + "@example.org"),
    ],
)
def test_paths_that_are_read(argument: str, mailbox: str) -> None:
    assert parse(argument).mailbox == mailbox


@pytest.mark.row("S06")
@pytest.mark.parametrize(
    "argument",
    [
        "", "a@b.example", "<a@b.example", "a@b.example>", "<a@b.example>x", "<a@b.example>>", "<<a@b.example>>",
        "< a@b.example>", "<a@b.example >", "< >", "<a b@c.example>", "<a@@b.example>", "<@b.example>", "<a@>",
        "<a\0@b.example>", "<a\r@b.example>", "<a\n@b.example>", "<a\t@b.example>", "<a\x7f@b.example>",
        "<a\x85@b.example>", "<a\u2028@b.example>", "<a\u00a0@b.example>", "<\udcff@b.example>", "<a@b,c.example>",
        '<"a\rb"@c.example>', '<"a@c.example>', "<a(comment)@b.example>", "<a;b@c.example>", "<@a.example:>",
        "<" + "a" * 243 + "@example.org>", "<" + "ü" * 130 + "@example.org>", "<a@b.example> SIZE=1 SIZE=2",
        "<a@b.example> =1", "<a@b.example> X\0Y", "<a@b.example> S\u0130ZE=1",
    ],
)  # fmt: skip
def test_paths_that_are_refused_and_never_quoted(argument: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(argument)
    assert str(refused.value) in ("malformed path", "malformed parameter")


def test_parameters() -> None:
    assert parse("<a@b.example> size=100  BODY=8BITMIME SMTPUTF8").parameters == {
        "SIZE": "100", "BODY": "8BITMIME", "SMTPUTF8": ""
    }  # fmt: skip


@pytest.mark.parametrize(
    "mailbox",
    [
        "cert@example.org", "CERT@EXAMPLE.ORG", "cert+t0ken@example.org", "cert+a+b@example.org", "cert+@example.org",
        "vul@notes.example.org", "vul+x@NOTES.example.org", "postmaster", "PostMaster", "postmaster@example.org",
        "Postmaster@notes.example.org",
    ],
)  # fmt: skip
def test_recipients_of_ours(mailbox: str) -> None:
    assert OURS.has(parse(f"<{mailbox}>"))


@pytest.mark.parametrize("separator", ["+", "-", "="])
def test_what_follows_the_separator_is_ours_and_no_other_sign_is_one(separator: str) -> None:
    ours = Recipients(("cert@example.org", "vul-team@example.org"), separator)
    for sign in ("+", "-", "="):
        for local in (f"cert{sign}vu123456.abc", f"CERT{sign}b7.x", f"vul-team{sign}x"):
            assert ours.has(parse(f"<{local}@example.org>")) == (sign == separator)
    assert not ours.has(parse(f"<vul{separator}x@example.org>"))


def test_without_a_separator_nothing_may_be_added() -> None:
    ours = Recipients(("cert@example.org",), "")
    assert ours.has(parse("<cert@example.org>"))
    assert not any(ours.has(parse(f"<cert{end}@example.org>")) for end in ("+x", "-x", "=x", "x"))


FOREIGN = [
    "root@elsewhere.example", "cert@elsewhere.example", "cert@sub.example.org", "cert@example.org.elsewhere.example",
    "@elsewhere.example:cert@example.org", "@example.org:root@elsewhere.example",
    "@a.example,@example.org:cert@example.org",
    "root%elsewhere.example@example.org", "cert%example.org@elsewhere.example", "elsewhere.example!root@example.org",
    "example.org!cert", "elsewhere.example!root", '"root@elsewhere.example"@example.org', '"cert@example.org"',
    '"cert"@example.org', "cert@[127.0.0.1]", "root@[192.0.2.1]", "cert@[IPv6:::1]", "root", "cert", "+x@example.org",
    "cert-x@example.org", "certx@example.org", "cert@example.org.", "postmaster@elsewhere.example",
    "postmaster+x@example.org", "x+cert@example.org", "vul@example.org", "cert@\u212aexample.org",
    "\u212aert@example.org",
]  # fmt: skip


@pytest.mark.row("S07")
@pytest.mark.parametrize("mailbox", FOREIGN)
def test_nobody_else_is_a_recipient(mailbox: str) -> None:
    assert not OURS.has(parse(f"<{mailbox}>"))


@given(st.text())
def test_whatever_is_read_means_one_thing(text: str) -> None:
    try:
        path = parse(f"<{text}>")
    except Refused:
        return
    assert path.mailbox.isprintable() or not path.mailbox.isascii()
    assert len(path.mailbox.encode()) <= 254
    assert OURS.has(path) <= (path.mailbox.lower().partition("+")[0].partition("@")[0] in ("cert", "vul", "postmaster"))


@given(st.text(alphabet='<>@:,.+"\\ [] aA\0\r\nü\udcff=', max_size=60))
def test_nothing_but_refused_is_raised(text: str) -> None:
    with suppress(Refused):
        parse(text)
