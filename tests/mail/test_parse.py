"""Bytes to a Mail: what is read, what is named as a defect, what is cut. S12 to S19, S36, S37 as far as pure."""
# ruff: noqa: RUF001, E501  (other languages are what is tested; a row of a table is read whole)

from datetime import UTC, datetime, timedelta
from hashlib import md5

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailrouter.mail import parse


def read(head: str | bytes, body: str | bytes = b"") -> parse.Mail:
    """A mail of these header lines and this body, with CRLF."""
    head = head if isinstance(head, bytes) else head.encode("utf-8")
    body = body if isinstance(body, bytes) else body.encode("utf-8")
    return parse.mail(head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body)


PLAIN = read(
    'From: "Vendor PSIRT" <psirt@vendor.example>\nTo: cert@cert.example\nCc: A <a@x.example>, b@y.example\n'
    "Subject: Re: [VU#123456]\n question\nMessage-ID: <m1@vendor.example>\nIn-Reply-To: <q2@cert.example>\n"
    "References: <q1@cert.example>\n <q2@cert.example>\nDate: Fri, 3 Jan 2025 12:30:00 +0200",
    "Hello\r\n",
)


def test_a_plain_mail():
    assert PLAIN.subject == "Re: [VU#123456] question"
    assert PLAIN.sender == (parse.Address("Vendor PSIRT", "psirt@vendor.example"),)
    assert [a.address for a in PLAIN.to + PLAIN.cc] == ["cert@cert.example", "a@x.example", "b@y.example"]
    assert PLAIN.message_id == "m1@vendor.example"
    assert PLAIN.in_reply_to == ("q2@cert.example",)
    assert PLAIN.references == ("q1@cert.example", "q2@cert.example")
    assert PLAIN.date == datetime(2025, 1, 3, 10, 30, tzinfo=UTC)
    assert (PLAIN.text, PLAIN.html, PLAIN.attachments, PLAIN.defects) == ("Hello", "", (), ())
    assert PLAIN.values("SUBJECT") == ("Re: [VU#123456] question",)
    assert PLAIN.values("x-none") == ()


def test_repr_shows_nothing_of_the_mail():
    assert repr(PLAIN) == f"<Mail of {len(PLAIN.raw)} bytes>"
    assert "vendor" not in repr(PLAIN.headers) + repr(PLAIN.parts)


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("=?utf-8?q?VU=23123456?=", "VU#123456"),
        ("=?UTF-8?B?VlUjMTIzNDU2?= x", "VU#123456 x"),
        ("=?utf-8?q?VU#12?=\n =?utf-8?q?3456?=", "VU#123456"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("=?utf-8?q?=C3?= =?UTF-8?Q?=A4?=", "ä"),
        ("=?utf-8*de?q?=C3=A4?=", "ä"),
        ("=?iso-8859-1?q?=E4=80?=", "ä€"),
        ("=?utf-8?b?w6Q?=", "ä"),
        ("=?utf-8?q?with blank?=", "with blank"),
        ("=?utf-8?x?bad?=", "=?utf-8?x?bad?="),
        ("=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        ("=?utf-7?q?+AOQ-?=", "ä"),
        ("tab\n\tfold", "tab fold"),
        ("grüße", "grüße"),
        ("=?utf-8?q?a=0D=0ABcc:_x?=", "a  Bcc: x"),
        ("=?utf-8?q?a=00b=1Bc?=", "abc"),
        ("a\u0085b\u2028c", "a b c"),
    ],
)
@pytest.mark.row("S20")
def test_subject(raw, subject):
    assert read(f"Subject: {raw}").subject == subject


@pytest.mark.row("S15")
def test_a_lone_cr_splits_no_header():
    mail = parse.mail(b"Subject: x\rBcc: v@evil.example\r\nTo: a@b.example\r\n\r\n")
    assert mail.values("bcc") == ()
    assert mail.subject == "x Bcc: v@evil.example"
    assert "control-in:subject" in mail.defects


@pytest.mark.row("S16")
@pytest.mark.parametrize(
    ("charset", "body", "text", "defect"),
    [
        ("utf-8", "ä".encode(), "ä", None),
        ("UTF-8", "ä".encode(), "ä", None),
        ("iso-8859-1", b"\xe4", "ä", None),
        ("windows-1251", "Привет".encode("cp1251"), "Привет", None),
        ("iso-2022-jp", "日本".encode("iso2022_jp"), "日本", None),
        ("gb2312", "中文".encode("gb18030"), "中文", None),
        ("utf-16", "ä".encode("utf-16"), "ä", None),
        ("us-ascii", "ä".encode(), "ä", "undeclared-8bit"),
        ("us-ascii", b"\xe4", "ä", "undeclared-8bit"),
        ("utf-8", b"a\xffb", "a\ufffdb", "bad-charset-bytes"),
        ("utf-8", b"\xc0\xaf", "\ufffd\ufffd", "bad-charset-bytes"),  # overlong
        ("utf-8", b"\xed\xa0\x80", "\ufffd\ufffd\ufffd", "bad-charset-bytes"),  # a surrogate
        ("utf-7", b"+AOQ-", "ä", "utf-7"),
        ("unicode_escape", rb"\x41", r"\x41", "unknown-charset"),
        ("raw_unicode_escape", rb"\u0041", r"\u0041", "unknown-charset"),
        ("rot13", b"uryyb", "uryyb", "unknown-charset"),
        ("zlib", b"x\x9c", "x\ufffd", "unknown-charset"),
        ("idna", b"a" * 100_000, "a" * 100_000, "unknown-charset"),
        ("x-nobody-knows", b"\xe4", "ä", "unknown-charset"),
        ("a\x00b", b"\xe4", "ä", "unknown-charset"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_charsets(charset, body, text, defect):
    mail = read(f'Content-Type: text/plain; charset="{charset}"', body)
    assert mail.text == text
    assert (defect in mail.defects) if defect else not {d for d in mail.defects if "charset" in d or "8bit" in d}


@pytest.mark.row("S16")
@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("gb18030", "关于漏洞报告的答复，请尽快修复。"), ("big5", "關於弱點報告的回覆，請盡快修復。"), ("euc-jp", "脆弱性の報告について"),
        ("cp932", "脆弱性の報告について"), ("euc-kr", "취약점 보고서에 대하여"), ("koi8-r", "Ответ об уязвимости"),
        ("cp1251", "Ответ об уязвимости"), ("cp1253", "Απάντηση για την ευπάθεια"), ("cp1255", "תשובה על הפגיעות"),
        ("cp1256", "الرد على الثغرة"), ("cp1252", "Die Lücke wird geschlossen, Grüße"), ("utf-8", "日本語とäöü"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("head", ["Content-Type: text/plain", "Content-Type: text/plain; charset=us-ascii", ""])
def test_a_body_without_a_character_set_is_read_in_its_script(charset, text, head):
    raw = f"From: a@b.example\n{head}".rstrip("\n").encode() + b"\n\n" + text.encode(charset)
    mail = parse.mail(raw, to_show=True)
    assert mail.text == text
    assert "undeclared-8bit" in mail.defects
    assert parse.mail(raw).defects == mail.defects  # a worker does not guess
    assert parse.mail(b"Subject: " + text.encode("cp1251", "replace") + b"\n\n").subject  # headers: no guess, no fault


@pytest.mark.row("S17")
@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        "Jörg".encode(),
        b"J\xf6rg",
        b"=?utf-8?q?=ED=A0=80?=",
        b"=?utf-16?b?2AA=?=",
        b"=?utf-7?q?+2AA-?=",
        b"=?utf-7?q?+AAA-?=",
        b"\xc0\x80",
        b"\x00",
    ],
)
def test_8bit_headers_are_clean_text(raw):
    mail = parse.mail(b"Subject: " + raw + b"\nFrom: " + raw + b" <a@b.example>\nTo: " + raw + b"@b.example\n\n")
    for text in (mail.subject, *(a.name + a.address for a in mail.sender + mail.to), *mail.values("from")):
        text.encode("utf-8")
        assert "\x00" not in text
    assert mail.sender[0].address == "a@b.example"


@pytest.mark.row("S18")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Fri, 3 Jan 2025 12:30:00 +0200", datetime(2025, 1, 3, 10, 30, tzinfo=UTC)),
        ("3 Jan 2025 12:30 GMT", datetime(2025, 1, 3, 12, 30, tzinfo=UTC)),
        ("3 Jan 2025 12:30:00", datetime(2025, 1, 3, 12, 30, tzinfo=UTC)),
        ("Fri, 3 Jan 99999 12:30:00 +0000", None),
        ("Fri, 3 Jan 2025 12:30:00 +9999", None),
        ("Fri, 3 Jan 2025 12:30:00 -9999", None),
        ("Fri, 31 Feb 2025 12:30:00 +0000", None),
        ("Fri, 3 Jan 2025 25:61:61 +0000", None),
        ("Fri, " + "9" * 5000, None),
        ("yesterday", None),
        (",", None),
        ("+", None),
        ("", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_dates(value, expected):
    mail = read(f"Date: {value}")
    assert mail.date == expected
    assert ("bad-date" in mail.defects) == (expected is None and value != "")


@pytest.mark.row("S19")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a@b.example>", "a@b.example"),
        ("<a@b.example> (comment)", "a@b.example"),
        ("a@b.example", "a@b.example"),
        ("< a@b.example >", "a@b.example"),
        ("<x@[bad", "x@[bad"),
        ("<>", None),
        ("<<<", None),
        ("<<<a@b.example>>>", "a@b.example"),
        ("two words", None),
        ("<" + "x" * 5000 + ">", None),
        ("", None),
        ("<a\tb@c.example>", "ab@c.example"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_message_id(value, expected):
    mail = read(f"Message-ID: {value}")
    assert mail.message_id == expected
    assert ("no-message-id" in mail.defects) == (expected is None)


@pytest.mark.row("S19")
def test_of_ten_thousand_references_the_newest_hundred_that_fit_are_kept():
    mail = read("References: " + " ".join(f"<{n}@x.example>" for n in range(300)))
    assert mail.references == tuple(f"{n}@x.example" for n in range(200, 300))
    assert read("References: " + " ".join(f"<{n}@x.example>" for n in range(10_000))).beyond_limits


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("A B <a@b.example>", [("A B", "a@b.example")]),
        ('"B, A" <a@b.example>, c@d.example', [("B, A", "a@b.example"), ("", "c@d.example")]),
        ("a@b.example (A B)", [("A B", "a@b.example")]),
        ("a@b.example (A (nested) B)", [("A (nested) B", "a@b.example")]),
        ("Group: a@b.example, c@d.example;", [("", "a@b.example"), ("", "c@d.example")]),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?q?J=C3=B6rg?= <j@b.example>", [("Jörg", "j@b.example")]),
        ('"=?utf-8?q?J=C3=B6rg?=" <j@b.example>', [("Jörg", "j@b.example")]),
        ('"say \\"hi\\"" <a@b.example>', [('say "hi"', "a@b.example")]),
        ("<@relay.example:a@b.example>", [("", "a@b.example")]),
        ('"john doe"@b.example', [("", '"john doe"@b.example')]),
        ("MAILER-DAEMON", [("", "MAILER-DAEMON")]),
        ("Nobody Here", [("Nobody Here", "")]),
        ('"unterminated <a@b.example>', [("", '"unterminated <a@b.example>')]),
        ("(never closed a@b.example", []),
        ("<>", []),
        (",,,", []),
    ],
)
def test_address_lists(value, expected):
    assert [(a.name, a.address) for a in read(f"To: {value}").to] == expected


def test_several_from_headers_show_the_topmost_and_say_so():
    mail = read("From: a@b.example\nFrom: c@d.example")
    assert [a.address for a in mail.sender] == ["a@b.example"]
    assert "many-from" in mail.defects


@pytest.mark.parametrize(
    ("raw", "subject", "text", "defect"),
    [
        (b"", "", "", "no-from"),
        (b"\n", "", "", "no-from"),
        (b"\r\nSubject: x\r\n", "", "Subject: x", "no-from"),
        (b"Subject: x", "x", "", "no-from"),
        (b"Subject: x\nbody without empty line", "x", "body without empty line", "no-header-line"),
        (b"From x@y Mon Jan 1\nSubject: x\n\nb", "x", "b", "unix-from"),
        (b" folded first\nSubject: x\n\nb", "x", "b", "first-line-is-folded"),
        (b"Subject : x\n\nb", "x", "b", "no-from"),
        (b"\xff\xfe\x00", "", "ÿþ\ufffd", "no-header-line"),
    ],
)
@pytest.mark.row("S14")
def test_broken_header_blocks(raw, subject, text, defect):
    mail = parse.mail(raw)
    assert (mail.subject, mail.text) == (subject, text)
    assert defect in mail.defects


def multipart(kind: str, *parts: str, boundary: str = "b") -> parse.Mail:
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    return read(f'Content-Type: multipart/{kind}; boundary="{boundary}"', body)


def test_alternative_shows_the_plain_version():
    plain, html = "Content-Type: text/plain\r\n\r\nplain", "Content-Type: text/html\r\n\r\n<p>html</p>"
    mail = multipart("alternative", plain, html)
    assert (mail.text, mail.html, mail.attachments) == ("plain", "<p>html</p>", ())


def test_all_inline_texts_count():
    mail = multipart("mixed", "\r\none", "Content-Type: text/html\r\n\r\n<p>two</p>", "\r\nthree")
    assert mail.text == "one\ntwo\nthree"


def test_html_only_becomes_readable():
    mail = read("Content-Type: text/html", "<head><title>t</title></head><p>a&amp;b<br>c</p><script>x()</script><div>d")
    assert mail.text == "a&b\nc\n\nd"


def test_attachments_are_every_other_leaf():
    mail = multipart(
        "mixed",
        "\r\ntext",
        'Content-Type: image/png; name="a.png"\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD',
        "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text",
        'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="n.txt"\r\n\r\nnot shown',
        'Content-Type: text/plain\r\nContent-Disposition: inline; filename="s.txt"\r\n\r\nshown',
    )
    assert mail.text == "text\nshown"
    assert [(a.index, a.name, a.content_type, a.size) for a in mail.attachments] == [
        (0, "a.png", "image/png", 3),
        (1, None, "message/rfc822", 28),
        (2, "n.txt", "text/plain", 9),
        (3, "s.txt", "text/plain", 5),
    ]
    assert mail.attachment_bytes(0) == b"ABC"
    assert mail.attachments[0].md5 == md5(b"ABC").hexdigest()
    with pytest.raises(IndexError):
        mail.attachment_bytes(4)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('filename="a.txt"', "a.txt"),
        ("filename=a b.txt", "a b.txt"),
        ("filename*=utf-8''Ma%C3%9F.txt", "Maß.txt"),
        ('filename*0="a"; filename*1="b.txt"', "ab.txt"),
        ("filename*0*=utf-8'de'Ma%C3; filename*1*=%9F.txt", "Maß.txt"),
        ('filename="=?utf-8?q?Ma=C3=9F?=.txt"', "Maß.txt"),
        ("filename=\"plain.txt\"; filename*=utf-8''extended.txt", "extended.txt"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="..\\\\..\\\\boot.ini"', "boot.ini"),
        ("filename*=utf-8''..%2F..%2Fx.txt", "x.txt"),
        ('filename="/etc/cron.d/x"', "x"),
        ('filename="a\x00b\x1bc\u202etxt.exe"', "abctxt.exe"),
        ('filename=".."', None),
        ('filename=""', None),
        ('filename="' + "n" * 5000 + '"', "n" * 255),
        ("", None),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.row("S31")
def test_file_names_are_safe_to_show(header, name):
    mail = read(f"Content-Type: application/pdf\nContent-Disposition: attachment; {header}", "x")
    assert [a.name for a in mail.attachments] == [name]


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("base64", b"QUJD", b"ABC"),
        ("base64", b"QU\r\nJD\r\n", b"ABC"),
        ("base64", b"QUI=", b"AB"),
        ("base64", b"QUI", b"AB"),
        ("base64", b"QUJDR", b"ABC"),
        ("base64", b"QQ==QkM=", b"ABC"),
        ("base64", b"Q!U*J?D", b"ABC"),
        ("base64", b"", b""),
        ("base64", b"====", b""),
        ("quoted-printable", b"a=\r\nb=3D=E4", b"ab=\xe4"),
        ("quoted-printable", b"a=ZZ=", b"a=ZZ"),
        ("8bit", b"\xe4", b"\xe4"),
        ("x-unknown", b"raw", b"raw"),
        ('"base64"', b"QUJD", b"ABC"),
    ],
)
def test_transfer_encodings(encoding, body, expected):
    mail = read(f"Content-Type: application/octet-stream\nContent-Transfer-Encoding: {encoding}", body)
    assert mail.attachment_bytes(0) == expected


@pytest.mark.row("S13")
@pytest.mark.parametrize(
    ("body", "text", "defect"),
    [
        ("no part at all", "", "multipart-without-parts"),
        ("--b\r\n\r\none\r\n--b\r\n\r\ntwo", "one\ntwo", "unclosed-multipart"),
        ("--bx\r\n\r\nno\r\n--b\r\n\r\nyes\r\n--b--", "yes", None),
        ("--b \t\r\n\r\nyes\r\n--b--\r\nepilogue\r\n--b\r\n\r\nhidden", "yes", None),
        ("preamble\r\n--b\r\n\r\nyes\r\n--b--", "yes", None),
        ("--b\r\n--b\r\n\r\nyes\r\n--b--", "yes", None),
        ("x--b\r\n\r\n--b\r\n\r\nyes\r\n--b--", "yes", None),
    ],
)
def test_boundaries(body, text, defect):
    mail = read('Content-Type: multipart/mixed; boundary="b"', body)
    assert mail.text == text
    assert (defect in mail.defects) if defect else not {d for d in mail.defects if "multipart" in d}


def test_an_inner_part_cannot_outlive_its_outer_one():
    inner = 'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\n\r\none'
    mail = multipart("mixed", inner, "\r\n--i--\r\ntwo")
    assert [part.body_start for part in mail.parts] == sorted(part.body_start for part in mail.parts)
    assert mail.text == "one\n--i--\r\ntwo".replace("\r", "")


def test_multipart_without_boundary_is_read_as_text():
    assert read("Content-Type: multipart/mixed", "words").text == "words"


def nested(kind: str, depth: int) -> bytes:
    if kind == "rfc822":
        return b"Content-Type: message/rfc822\n\n" * depth
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))


LIMITS = {
    "message": b"Subject: x\n\n" + b"a" * (25 * 1024 * 1024),
    "header-block": b"Subject: " + b"x" * 10_000_000 + b"\n\n",
    "headers": b"A: b\n" * 5_000 + b"\n",
    "header": b"Subject: " + b"x" * 8_200 + b"\n\n",
    "received": b"Received: x\n" * 51 + b"\n",
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 1_000_000,
    "depth": nested("multipart", 22),
    "boundary": b"Content-Type: multipart/mixed; boundary=" + b"b" * 71 + b"\n\n",
    "attachments": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: a/b\n\n" * 101,
}


@pytest.mark.row("S12")
@pytest.mark.row("S13")
@pytest.mark.parametrize("what", LIMITS)
def test_limits(what):
    mail = parse.mail(LIMITS[what])
    assert mail.beyond_limits
    assert f"over-limit:{what}" in mail.defects


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: " + b"x" * 8_000 + b"\n\n",
        b"Received: x\n" * 50 + b"\n",
        b"A: b\n" * 500 + b"\n",
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 199 + b"--b--",
        b"Content-Type: multipart/mixed; boundary=" + b"b" * 70 + b"\n\n",
        nested("multipart", 20) + b"\n",
        b"To: " + b"a@b.example, " * 400 + b"\n\n",
    ],
)
def test_just_within_limits(raw):
    assert not parse.mail(raw).beyond_limits


def test_a_long_to_is_cut_and_parks_nothing():
    mail = parse.mail(b"To: " + b"a@b.example, " * 400 + b"\n\n")
    assert "cut:to" in mail.defects
    assert 100 < len(mail.to) < 400


@pytest.mark.row("S13")
@pytest.mark.parametrize("kind", ["multipart", "rfc822"])
@pytest.mark.parametrize("depth", [100, 1_000, 10_000])
def test_depth(kind, depth):
    mail = parse.mail(nested(kind, depth))
    assert mail.beyond_limits
    assert len(mail.parts) <= 21


def test_text_for_reading_is_capped():
    mail = read("Subject: x", b"a\n" * 2_000_000)
    assert len(mail.text) <= 1024 * 1024
    assert "cut:text" in mail.defects
    assert not mail.beyond_limits


@pytest.mark.row("S36")
@pytest.mark.row("S37")
@pytest.mark.parametrize("evil", ["' OR 1=1--", "%_\\", "\x1b[31mred", "a\u0085b", "\u202eevil", "a\x00b", "x\u2028y"])
def test_what_ends_in_a_row_or_a_log_is_one_line_without_control_characters(evil):
    head = (
        f"From: {evil} <a@b.example>\nTo: {evil} <c@d.example>\nSubject: {evil}\nMessage-ID: <{evil}@x>\nX-Any: {evil}"
    )
    mail = read(head + f'\nContent-Disposition: attachment; filename="{evil}"')
    named = [mail.subject, mail.message_id or "", *mail.values("x-any"), *(a.name or "" for a in mail.attachments)]
    for text in named + [part for a in mail.sender + mail.to for part in (a.name, a.address)]:
        assert len(text.splitlines()) <= 1
        assert not any(c < " " or "\x7f" <= c <= "\x9f" for c in text)


# ---- for any bytes --------------------------------------------------------------------------------------------------

fragments = st.sampled_from([
    b"\n", b"\r\n", b"\r", b"\n\n", b" ", b"\t", b":", b"From: ", b"To: ", b"Subject: ", b"Date: ",
    b"Message-ID: <", b"References: ", b"Content-Type: ", b"multipart/mixed; boundary=b",
    b'multipart/alternative; boundary="b"', b"message/rfc822", b"text/html; charset=", b"utf-8", b"utf-7",
    b"idna", b"--b", b"--b--", b"=?utf-8?q?",
    b"?=", b"=?",
    b"Content-Transfer-Encoding: base64", b"quoted-printable", b"Content-Disposition: attachment; filename*0*=",
    b"<", b">", b"@", b",", b";", b'"', b"\\", b"(", b")", b"[", b"=", b"'", b"\x00", b"\xff", b"\xed\xa0\x80",
    b"a", b"9", b"<!--", b"<script>", b"&#" + b"1" * 5000 + b";", b"Authentication-Results: ", b"Received: x",
])  # fmt: skip


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in strings(item)]
    return strings((value.name, value.address)) if isinstance(value, parse.Address) else []


@pytest.mark.row("S14")
@given(st.lists(st.one_of(fragments, st.binary(max_size=8)), max_size=60).map(b"".join))
def test_any_bytes_are_read_and_give_clean_text(raw):
    mail = parse.mail(raw)
    assert mail.raw == raw
    found = strings((mail.subject, mail.sender, mail.to, mail.cc, mail.message_id, mail.in_reply_to, mail.references))
    for text in [*found, *mail.values("from"), mail.text, mail.html, *(a.name or "" for a in mail.attachments)]:
        text.encode("utf-8")
        assert "\x00" not in text
    assert all(len(text.splitlines()) <= 1 for text in found)
    assert all(mail.attachment_bytes(a.index) is not None for a in mail.attachments)
    assert isinstance(mail.beyond_limits, bool)
    assert len(set(mail.defects)) == len(mail.defects)
    assert mail.date is None or mail.date.utcoffset() == timedelta(0)


@given(st.binary(max_size=300), st.sampled_from([b"\n", b"\r\n"]))
def test_parts_are_slices_of_the_raw_mail(body, end):
    assume(not (body.endswith(b"\r") and end == b"\n"))  # together they are a line end
    raw = end.join([b"Content-Type: multipart/mixed; boundary=qqq", b"", b"--qqq", b"Content-Type: a/b", b"", b""])
    raw += body + end + b"--qqq--" + end
    mail = parse.mail(raw)
    assert mail.parts[1].entity == b"Content-Type: a/b" + end + end + body
    assert mail.attachment_bytes(0) == body
