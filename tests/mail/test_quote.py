"""What of a reply is new."""
# ruff: noqa: RUF001  (other languages are what is tested)

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import markup, quote


@pytest.mark.parametrize(
    "attribution",
    [
        "On Tue, Jan 7, 2025 at 10:00 AM A B <a@b.example> wrote:",
        "On Tue, Jan 7, 2025 at 10:00 AM A B\n<a@b.example> wrote:",
        "On 7 Jan 2025,\nat 10:00,\nA B wrote:",
        "Am 07.01.2025 um 10:00 schrieb A B:",
        "Am Di., 7. Jan. 2025 um 10:00 Uhr schrieb A B <a@b.example>:",
        "Le mar. 7 janv. 2025 à 10:00, A B <a@b.example> a écrit :",
        "El mar, 7 ene 2025 a las 10:00, A B (<a@b.example>) escribió:",
        "Il giorno mar 7 gen 2025 alle ore 10:00 A B <a@b.example> ha scritto:",
        "Em ter., 7 de jan. de 2025 às 10:00, A B <a@b.example> escreveu:",
        "Op di 7 jan 2025 om 10:00 schreef A B <a@b.example>:",
        "Den tis 7 jan. 2025 kl 10:00 skrev A B <a@b.example>:",
        "W dniu 07.01.2025 o 10:00, A B napisał(a):",
        "7 января 2025 г., 10:00, A B <a@b.example> написал:",
        "在 2025年1月7日 10:00, A B 写道：",
        "2025/1/7 A B <a@b.example>",
        "2025年1月7日(火) 10:00 A B <a@b.example>:",
    ],
)
@pytest.mark.parametrize("quoted", ["> old\n> text", "old\ntext"])
def test_attributions(attribution, quoted):
    reply = quote.split(f"New text.\n\n{attribution}\n\n{quoted}")
    assert reply.visible == "New text."
    assert "old" in reply.hidden


@pytest.mark.parametrize(
    "divider",
    [
        "-----Original Message-----",
        "---- Forwarded message ----",
        "----- Ursprüngliche Nachricht -----",
        "Begin forwarded message:",
        "________________________________",
        "From: A B <a@b.example>\nSent: Tuesday\nTo: C\nSubject: x",
        "*From:* A B <a@b.example>\n*Sent:* Tuesday\n*Subject:* x",
        "Von: A B\nGesendet: Dienstag\nAn: C\nBetreff: x",
        "De : A B\nEnvoyé : mardi\nÀ : C\nObjet : x",
    ],
)
def test_dividers(divider):
    reply = quote.split(f"New text.\n\n{divider}\n\nold text\n")
    assert reply.visible == "New text."
    assert "old text" in reply.hidden


@pytest.mark.parametrize(
    "text",
    [
        "Nothing is quoted here.",
        "On Monday we wrote: fix it.\nThat is all.",
        "From: what we know, it is bad.\nThis is new.",
        "a > b\nis true",
        "Answers:\n\n1. yes\n2. no",
        "-> an arrow\n- a list\n-- not a signature",
        "",
    ],
)
def test_new_text_stays(text):
    assert quote.split(text) == quote.Reply(text, "")


def test_answers_between_the_questions_are_kept_in_order():
    text = "On 7 Jan 2025, A wrote:\n> Is it real?\n\nYes.\n\n> When is the fix?\n\nIn May."
    reply = quote.split(text)
    assert reply.visible.split() == ["Yes.", "In", "May."]
    assert "Is it real?" in reply.hidden
    assert "When is the fix?" in reply.hidden


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("New.\n-- \nA B\nVendor", "New."),
        ("New.\n--\nA B", "New."),
        ("New.\n\nSent from my phone", "New."),
        ("New.\n\nGet Outlook for iOS", "New."),
        ("Sent from my desk, is much easier than the phone.", "Sent from my desk, is much easier than the phone."),
    ],
)
def test_signatures(text, visible):
    assert quote.split(text).visible == visible


@given(st.lists(st.sampled_from(["> q", "new", "", "On 7 Jan 2025, A wrote:", "-- ", "From: a", "To: b", "Date: c"])))
def test_no_line_is_lost_and_none_doubled(lines):
    reply = quote.split("\n".join(lines))
    kept = [line for line in (reply.visible + "\n" + reply.hidden).split("\n") if line.strip()]
    assert sorted(line.strip() for line in kept) == sorted(line.strip() for line in lines if line.strip())


@given(st.text())
def test_any_text(text):
    quote.split(text)
    quote.split_html(text)


PATHOLOGICAL = ["On 1\n", "From: 1\n", ">", "> \n", "-", "_", "On 7 Jan wrote", "\n", " ", "To:", "a 1,\n", "Sent "]


@pytest.mark.parametrize("piece", PATHOLOGICAL)
def test_linear(piece):
    def steps(text: str) -> int:
        counted = 0

        def count(_frame, _event, _arg):
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        try:
            quote.split(text)
        finally:
            sys.setprofile(None)
        return counted

    assert steps(piece * 2000) <= 2.2 * steps(piece * 1000) + 200


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<br>b<BR/>c", "a\nb\nc"),
        ("a &lt;b&gt; &amp; &#228; &euro;", "a <b> & ä €"),
        ("a<style>x{}</style>b<script>1<2</script>c", "abc"),
        ("<html><head><title>t</title></head><body>x", "x"),
        ("<head><body>x", "x"),
        ("<!-- hidden --> x", "x"),
        ("<!-- never closed x", ""),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a <unclosed", "a"),
        ("<td>a</td><td>b</td>", "a b"),
        ("&#" + "9" * 5000 + ";", "\ufffd"),
        ("&#xffffffffff; &#0; &#xd800;", None),
        ("<plaintext>x", ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_html_to_text(html, text):
    found = markup.text(html)
    assert text is None or found == text


@pytest.mark.parametrize(
    "mark",
    [
        '<div class="gmail_quote">',
        '<blockquote type="cite">',
        '<div id="divRplyFwdMsg">',
        "<div class='x'><div class=moz-cite-prefix>",
        '<hr id="stopSpelling">',
    ],
)
def test_html_quotes(mark):
    reply = quote.split_html(f"<p>new</p>{mark}<p>old</p>")
    assert reply.visible == "new"
    assert "old" in reply.hidden


@pytest.mark.parametrize("piece", ["<", "<!--", "<a ", "<a>", "<script>", "</", "&#1", "&", "<div ", "<hr ", "<!"])
def test_html_is_read_in_linear_time(piece):
    # A quadratic reader would need minutes for a quarter of a million characters.
    quote.split_html(piece * (250_000 // len(piece)))
