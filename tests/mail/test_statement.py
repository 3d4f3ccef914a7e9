"""Whether a mail is meant as a statement, what exactly its text is, and which case it binds itself to."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import statement

MARKED = b"Hello,\r\n== VENDOR STATEMENT VU#123456 ==\r\nNot affected.\r\n  Really.\r\n== END ==\r\nBye\r\n"


# ---- meant ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "text", "is_meant"),
    [
        ("VU#123456 statement", b"", True),
        ("Vendor STATEMENT for VU#123456", b"", True),
        ("Re: statement: VU#123456", b"", True),
        ("VU#123456 restatement", b"", False),
        ("VU#123456 statements", b"", False),
        ("VU#123456", b"our statement follows", False),
        ("VU#123456", MARKED, True),
        ("VU#123456", MARKED.replace(b"\r\n", b"\n"), True),
        ("VU#123456", MARKED.lower(), True),
        ("VU#123456", b"== VENDOR STATEMENT ==\nx\n== END ==\n", True),
        ("VU#123456", b"\t==VENDOR STATEMENT==\nx\n==END==", True),
        ("VU#123456", b"== VENDOR STATEMENT == and more\nx\n== END ==", False),
        ("VU#123456", b"== VENDOR STATEMENT VU#123456 ==\nno end\n", False),
        ("VU#123456", b"> == VENDOR STATEMENT VU#123456 ==\n> x\n> == END ==\n", False),
        ("VU#123456", b"see == VENDOR STATEMENT VU#123456 ==\nx\n== END ==\n", False),
    ],
)
def test_meant_by_its_subject_or_its_marker_lines(subject: str, text: bytes, is_meant: bool) -> None:
    assert statement.meant(subject, text, lambda: text) is is_meant


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_transfer_encoding_hides_no_marker_lines(encoding: str) -> None:
    body = base64.encodebytes(MARKED) if encoding == "base64" else quopri.encodestring(MARKED)
    raw = b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + body
    assert statement.meant("VU#123456", raw, lambda: statement.text_of(raw))


def test_ordinary_mail_is_not_decoded_for_it() -> None:
    def never() -> bytes:
        raise AssertionError

    assert not statement.meant("VU#123456", b"Subject: x\r\n\r\nhello\r\n", never)


# ---- its text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (b"Not affected.\r\n", b"Not affected.\r\n"),
        (b"  two  blanks \t\r\n\r\n\xff\x00 bytes", b"  two  blanks \t\r\n\r\n\xff\x00 bytes"),
        (b"Ours\n> theirs\n  > theirs too\nours\n", b"Ours\nours\n"),
        (b"Ours\r\n>theirs without an end", b"Ours\r\n"),
        (b"a > b\n", b"a > b\n"),
        (MARKED, b"Not affected.\r\n  Really.\r\n"),
        (b"== VENDOR STATEMENT ==\nours\n> quoted\n== END ==\n", b"ours\n"),
        (b"== VENDOR STATEMENT ==\n== END ==\n", b""),
        (b"> all quoted\n", b""),
    ],
)
def test_verbatim_is_every_byte_that_is_not_quoted(text: bytes, own: bytes) -> None:
    assert statement.verbatim(text) == own


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (MARKED, False),
        (b"== VENDOR STATEMENT ==\nrun\n> update\n== END ==\n", True),
        (MARKED + b"> quoted below\n", False),
        (b"Ours\n> theirs\n", False),
        (b"> == VENDOR STATEMENT ==\n> x\n> == END ==\n", False),
    ],
)
def test_lines_between_the_markers_may_look_quoted(text: bytes, holds: bool) -> None:
    assert statement.holds_quotes(text) is holds


@given(st.lists(st.binary(max_size=30).filter(lambda line: not set(line) & set(b"\r\n>=")), max_size=8))
def test_verbatim_of_unquoted_text_is_the_text(lines: list[bytes]) -> None:
    text = b"\r\n".join(lines)
    assert statement.verbatim(text) == text


@pytest.mark.parametrize(
    ("text", "subject", "is_bound"),
    [
        (b"VU#123456: not affected", "", True),
        (b"not affected", "VU#123456 statement", True),
        (b"VU#123456 and VU#123456.2", "vu#123456", True),
        (b"not affected", "", False),
        (b"VU#123456 and VU#999999", "", False),
        (b"VU#123456", "VU#999999", False),
        (b"VU#999999", "", False),
        (b"> VU#123456\nnot affected", "", False),
        (b"VU#123456\n> VU#999999\n", "", True),
        (b"VU-123456", "", False),
        (b"\xff\xfe VU#123456 \xff", "", True),
    ],
)
def test_signed_words_bind_to_the_one_case_they_name(text: bytes, subject: str, is_bound: bool) -> None:
    assert statement.binds(text, subject, 123456) is is_bound


# ---- out of MIME ----------------------------------------------------------------------------------------------------

ODD = b"caf\xe9 \t\r\n\r\n  indented\r\n-- \r\nlast line without end"
PLAIN = b"Content-Type: text/plain; charset=iso-8859-1\r\n"


def multipart(*parts: bytes, kind: str = "mixed") -> bytes:
    head = b"Content-Type: multipart/" + kind.encode() + b'; boundary="=b"\r\n\r\n'
    return head + b"".join(b"--=b\r\n" + part + b"\r\n" for part in parts) + b"--=b--\r\n"


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        (PLAIN + b"\r\n" + ODD, ODD),
        (b"\r\n" + ODD, ODD),
        (PLAIN + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + ODD, ODD),
        (PLAIN + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(ODD), ODD),
        (PLAIN + b"Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9=\r\n au lait", b"caf\xe9 au lait"),
        (multipart(PLAIN + b"\r\nfirst\r\n", PLAIN + b"\r\nsecond"), b"first\r\n"),
        (multipart(b"Content-Type: text/html\r\n\r\n<p>", PLAIN + b"\r\nplain"), b"plain"),
        (multipart(multipart(PLAIN + b"\r\ninner", kind="alternative")), b"inner"),
        (multipart(PLAIN + b"Content-Disposition: attachment\r\n\r\nfile", PLAIN + b"\r\ntext"), b"text"),
        (multipart(b"Content-Type: message/rfc822\r\n\r\nSubject: fwd\r\n\r\nnot theirs"), b""),
        (b"Content-Type: message/rfc822\r\n\r\nSubject: fwd\r\n\r\nnot theirs", b""),
        (multipart(b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nno", PLAIN + b"\r\nyes"), b"yes"),
        (b"Content-Type: text/html\r\n\r\n<p>only", b""),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", b""),
        (b"", b""),
    ],
)
def test_the_first_inline_text_comes_out_byte_for_byte(entity: bytes, text: bytes) -> None:
    assert statement.text_of(entity) == text


@pytest.mark.row("S14")
@given(st.binary(max_size=300))
def test_no_bytes_raise(entity: bytes) -> None:
    assert isinstance(statement.text_of(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + entity), bytes)


@pytest.mark.row("S14")
def test_a_thousand_nested_parts_are_no_text() -> None:
    deep = PLAIN + b"\r\ntext"
    for depth in range(1500):
        name = b"b%d" % depth
        deep = b"Content-Type: multipart/mixed; boundary=" + name + b"\r\n\r\n--" + name + b"\r\n" + deep
    assert statement.text_of(deep) in (b"", b"text")
