"""What of a reply is new."""
# ruff: noqa: RUF001, E501  (other languages are what is tested; a row of a table is read whole)

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
        # webmail and programs in the other languages they speak
        "On 2025-01-07 10:00, A B wrote:",
        'At 2025-01-07 10:00:00, "A B" <a@b.example> wrote:',
        "---- On Tue, 07 Jan 2025 10:00:00 +0100 A B <a@b.example> wrote ----",
        "A B ---07.01.2025 10:00:00---Guten Tag",
        "wt., 7 sty 2025 o 10:00 A B <a@b.example> napisał(a):",
        "út 7. 1. 2025 v 10:00 odesílatel A B <a@b.example> napsal:",
        "ut 7. 1. 2025 o 10:00 A B <a@b.example> napísal(a):",
        "A B <a@b.example> ezt írta (időpont: 2025. jan. 7., K, 10:00):",
        "ti 7. tammik. 2025 klo 10.00 A B (a@b.example) kirjoitti:",
        "tir. 7. jan. 2025 kl. 10:00 skrev A B <a@b.example>:",
        "A B <a@b.example>, 7 Oca 2025 Sal, 10:00 tarihinde şunu yazdı:",
        "Στις Τρί 7 Ιαν 2025 στις 10:00 π.μ., ο/η A B <a@b.example> έγραψε:",
        "вт, 7 янв. 2025 г. в 10:00, A B <a@b.example>:",
        "вт, 7 січ. 2025 р. о 10:00 A B <a@b.example> пише:",
        '07.01.2025, 10:00, "A B" <a@b.example>:',
        "Вторник, 7 января 2025, 10:00 +03:00 от A B <a@b.example>:",
        "În mar., 7 ian. 2025 la 10:00, A B <a@b.example> a scris:",
        "\u202bבתאריך יום ג׳, 7 בינו׳ 2025 ב-10:00 מאת \u202aA B\u202c\u200f <\u202aa@b.example\u202c\u200f>:\u202c",
        "في الثلاثاء، ٧ يناير ٢٠٢٥ في ١٠:٠٠ ص تمت كتابة ما يلي بواسطة A B <a@b.example>:",
        "Vào 10:00 Th 3, 7 thg 1, 2025 A B <a@b.example> đã viết:",
        "ในวันที่ อ. 7 ม.ค. 2025 เวลา 10:00 A B <a@b.example> เขียนว่า:",
        "Pada tanggal Sel, 7 Jan 2025 pukul 10.00 A B <a@b.example> menulis:",
        "Missatge de A B <a@b.example> del dia dt., 7 de gen. 2025 a les 10:00:",
        "A B <a@b.example> escreveu (terça, 7/01/2025 à(s) 10:00):",
        "El mar, 7 ene 2025 a la(s) 10:00, A B (a@b.example) escribió:",
        "2025-01-07, an, 10:00 A B <a@b.example> rašė:",
        "otrd., 2025. g. 7. janv., plkst. 10:00 — lietotājs A B (<a@b.example>) rakstīja:",
        "Kontakt A B (<a@b.example>) kirjutas kuupäeval T, 7. jaanuar 2025 kell 10:00:",
        "V V tor., 7. jan. 2025 ob 10:00 je oseba A B <a@b.example> napisala:",
        "A B <a@b.example> 於 2025年1月7日 週二 上午10:00寫道：",
        "A B <a@b.example> 于2025年1月7日周二 10:00写道：",
        "2025년 1월 7일 (화) 오전 10:00, A B <a@b.example>님이 작성:",
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
        "------- Original Message -------",
        "\u2010\u2010\u2010\u2010\u2010\u2010\u2010 Original Message \u2010\u2010\u2010\u2010\u2010\u2010\u2010",
        "------------------ 原始邮件 ------------------",
        "---- 回复的原邮件 ----",
        "-------- Messaggio originale --------",
        "-------- Mensagem encaminhada --------",
        "-------- Oorspronkelijk bericht --------",
        "-------- Wiadomość oryginalna --------",
        "-------- Původní zpráva --------",
        "-------- Пересылаемое сообщение --------",
        "-----元のメッセージ-----",
        "Gesendet: Dienstag, 07. Januar 2025 um 10:00 Uhr\nVon: A B <a@b.example>\nAn: C\nBetreff: x",
        "Van: A B\nVerzonden: dinsdag\nAan: C\nOnderwerp: x",
        "Från: A B\nSkickat: den 7 januari\nTill: C\nÄmne: x",
        "Od: A B\nWysłano: wtorek\nDo: C\nTemat: x",
        "Lähettäjä: A B\nLähetetty: tiistai\nVastaanottaja: C\nAihe: x",
        "Kimden: A B\nGönderildi: Salı\nKime: C\nKonu: x",
        "От: A B\nОтправлено: вторник\nКому: C\nТема: x",
        "发件人: A B\n发送时间: 2025年1月7日\n收件人: C\n主题: x",
        "差出人: A B\n送信日時: 2025年1月7日\n宛先: C\n件名: x",
        "보낸 사람: A B\n보낸 날짜: 2025년 1월 7일\n받는 사람: C\n제목: x",
        "##- Please type your reply above this line -##",
        "--- Reply above this line. ---",
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
        "1. Affected\n" + "-" * 60 + "\n" + "\n".join(f"line {n}" for n in range(20)),
        "Please reply to the questions above by Friday.\nThank you.",
        "Write to psirt@vendor.example until 2025-05-01 10:00:\nour key is there.",
        "On 2026-01-05 our team (psirt@vendor.example) tested version 1.2.3:\n- works\n- fails",
        "On 5 May 2026 the reporter wrote:\nit crashes.",
        "To: whom it concerns\nDate: open\nSubject: x",
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


def test_an_address_without_brackets_needs_quoted_lines_below():
    head = "New.\n\n7 Jan 2025, 10:00 by a@b.example:\n\n"
    assert quote.split(head + "> old").visible == "New."
    assert quote.split(head + "new").visible.endswith("new")


def test_what_a_ticket_system_hands_on_is_new():
    text = "##- Please type your reply above this line -##\n\nAnn (Vendor)\n\nWe are affected.\n"
    assert quote.split(text).visible.split("\n") == ["Ann (Vendor)", "", "We are affected."]


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
def test_html_marks(mark):
    reply = quote.split_html(f"<p>new</p>{mark}<p>old</p>")
    assert reply.visible == "new"
    assert "old" in reply.hidden


@pytest.mark.parametrize("piece", ["<", "<!--", "<a ", "<a>", "<script>", "</", "&#1", "&", "<div ", "<hr ", "<!"])
def test_html_is_read_in_linear_time(piece):
    # A quadratic reader would need minutes for a quarter of a million characters.
    quote.split_html(piece * (250_000 // len(piece)))


GMAIL = '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Tue, Jan 7, 2025 A B &lt;<a href="x">a@b.example</a>&gt; wrote:<br></div>'


@pytest.mark.parametrize(
    ("html", "visible"),
    [
        (f'<div>new</div>{GMAIL}<blockquote class="gmail_quote" style="border-left:1px solid">old</blockquote></div>', "new"),
        (f'<div>new</div>{GMAIL}<blockquote class="gmail_quote">old<br><br>older</blockquote></div><p>below</p>', "new\n\nbelow"),
        (('<div class="moz-cite-prefix">Am 7.1.2025 schrieb A B:</div><blockquote type="cite" cite="mid:x">old</blockquote>'
         "<p>first</p><blockquote type=cite>old<blockquote type=cite>older</blockquote></blockquote><p>second</p>"),
         "first\n\nsecond"),
        ('<p>new</p><blockquote style="margin:0 0 0 40px;border:none">indented</blockquote>', "new\n\nindented"),
        ('<p>new</p><blockquote style="border-left:2px solid blue">old</blockquote>', "new"),
        ('<p>new</p><div name="quote" style="border-left:2px">old</div>', "new"),
        ('<p>new</p><div id="x_divRplyFwdMsg"><b>From:</b> A</div>old', "new"),
        ('<p>new</p><div class="ydp0yahoo_quoted" id="ydp1">old</div>', "new"),
        ('<p>new</p><div class="zmail_extra" style="x">old</div>', "new"),
        (('<p>new</p><div style="border-top:solid #E1E1E1 1.0pt"><p><b>From:</b> A<br><b>Sent:</b> x<br><b>To:</b> C<br>'
         "<b>Subject:</b> x</p></div><p>old</p>"), "new"),
    ],
    ids=range(10),
)  # fmt: skip
def test_html_replies(html, visible):
    reply = quote.split_html(html)
    assert reply.visible == visible
    assert "indented" in html or "old" in reply.hidden


def test_html_quotations_are_marked_as_in_plain_mail():
    assert (
        markup.text("a<blockquote type=cite>b<blockquote type=cite>c</blockquote>d</blockquote>e")
        == "a\n\n> b\n\n> > c\n\n> d\n\ne"
    )
    assert markup.text("&#1;a\x01b</blockquote></blockquote>c") == "ab\n\nc"


@pytest.mark.parametrize(
    "piece",
    ["<blockquote type=cite>", "<blockquote type=cite>x</blockquote>", '<div class="gmail_attr">', "<blockquote>"],
)
def test_quotations_are_read_in_linear_time(piece):
    assert len(quote.split_html(piece * (250_000 // len(piece))).visible) < 1_000_000
