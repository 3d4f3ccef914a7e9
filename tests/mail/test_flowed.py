"""Paragraphs put together again: RFC 3676. What a sender repeats of protected headers: RFC 9788."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import flowed, parse, quote


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("a \nb", "a b"),
        ("a \nb \nc\nd", "a b c\nd"),
        ("a\nb", "a\nb"),
        ("> a \n> b\nc", "> a b\nc"),
        (">> a \n> b", ">> a\n> b"),  # another depth ends the paragraph
        ("a \n> b", "a\n> b"),
        (" > no quote", "> no quote"),  # stuffed
        (" From here", "From here"),
        ("a \n-- \nAnn \nVendor", "a\n-- \nAnn Vendor"),  # a signature's mark flows nowhere
        ("a \n\nb", "a\n\nb"),  # an empty line ends one, too
        ("a ", "a"),
        ("", ""),
    ],
)
def test_flowed(text, joined):
    assert flowed.joined(text) == joined


def test_delsp():
    assert flowed.joined("日本 \n語", delsp=True) == "日本語"
    assert flowed.joined("a  \nb", delsp=True) == "a b"


@given(st.lists(st.sampled_from(["a ", "b", "> c ", ">> d", "-- ", "", " e", ">", "> "])))
def test_no_word_is_lost(lines):
    text = "\n".join(lines)
    assert flowed.joined(text).replace(">", "").split() == text.replace(">", "").split()


def mail(content_type: str, body: str) -> parse.Mail:
    return parse.mail(f"Content-Type: {content_type}\n\n{body}".replace("\n", "\r\n").encode())


def test_flowed_mail_is_shown_and_quoted_in_whole_paragraphs():
    body = "We are \naffected, all \nversions.\n\n> Is it \n> real?\n"
    read = mail("text/plain; charset=utf-8; format=flowed", body)
    assert read.text == "We are affected, all versions.\n\n> Is it real?"
    assert quote.split(read.text).visible == "We are affected, all versions."
    assert mail("text/plain; charset=utf-8; format=fixed", body).text.startswith("We are \naffected")
    assert mail("text/plain; format=Flowed; delsp=Yes", "ab \ncd").text == "abcd"


COPY = "Subject: the real one\nFrom: ann@vendor.example\n\nWe are affected.\n"
HTML = (
    '<div class="header-protection-legacy-display"><pre>Subject: the real one</pre><div>x</div></div>'
    "<p>We are affected.</p>"
)


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ('text/plain; hp-legacy-display="1"; hp="cipher"', COPY, "We are affected."),
        ('text/plain; hp="cipher"', COPY, COPY.strip()),
        ('text/plain; hp-legacy-display="1"', COPY, COPY.strip()),  # no encrypted payload: nothing is hidden
        ('text/plain; hp-legacy-display="1"; hp="clear"', COPY, COPY.strip()),
        ('text/plain; hp-legacy-display="1"; hp="cipher"', "We are affected.\n\nAnn", "We are affected.\n\nAnn"),
        ('text/html; hp-legacy-display="1"; hp="cipher"', HTML, "We are affected."),
        ('text/html; hp-legacy-display="1"; hp="clear"', HTML, "Subject: the real one\n\nx\n\nWe are affected."),
    ],
)
def test_copies_of_protected_headers_are_not_shown_twice(kind, text, shown):
    assert mail(kind, text).text == shown


@pytest.mark.parametrize("kind", ["text/plain", "text/rfc822-headers"])
def test_the_older_form_is_a_part_of_its_own(kind):
    parts = (
        f'--b\nContent-Type: {kind}; protected-headers="v1"\nContent-Disposition: inline\n\nSubject: the real one\n'
        "--b\nContent-Type: text/plain\n\nWe are affected.\n--b--"
    )
    protected = mail('multipart/mixed; boundary=b; protected-headers="v1"', parts)
    assert (protected.text, protected.attachments) == ("We are affected.", ())
    ordinary = mail("multipart/mixed; boundary=b", parts)
    assert "the real one" in ordinary.text or ordinary.attachments
