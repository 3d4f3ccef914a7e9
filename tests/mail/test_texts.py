"""The letters' texts: what ships is right, what replaces it is checked, and a value is only ever data."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.faults import Refused
from mailrouter.mail import texts

SHIPPED = texts.read()
TO_PARTICIPANTS = [name for name, letter in texts.LETTERS.items() if "vendor" in letter.fields]
ORDERED = {
    "notification", "details", "write", "reply", "voucher", "own-key-changed", "report-ask", "report-accepted",
    "report-declined", "relay", "draft", "embargo-proposed", "embargo-changed", "embargo-stands", "embargo-ended",
    "cve-ask", "cve-assigned", "cve-record-ask",
    "published", "revised", "not-published",
}  # fmt: skip
AUTOMATIC = [name for name in texts.LETTERS if name not in ORDERED]

VALUES = {
    "organisation": "CERT Example", "address": "cert@cert.example", "phone": "+1 555 0100", "analyst": "Ada Lane",
    "fingerprint": "0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567", "key_url": "https://cert.example/key.asc",
    "policy_url": "https://cert.example/policy", "vrf": "VRF#26-11-BCDFG",
    "draft": "revision 1, draft 3", "cves": "CVE-2026-12345",
    "vu": "VU#123456", "tlp": "TLP:AMBER", "vendor": "ACME",
    "planned": "2026-03-04, 14:00 UTC", "embargo_days": "45", "asked": "Vulnerability report", "asked_on": "2026-01-18",
    "body": "The first line.\n\nThe second paragraph.", "quoted": "On Monday, Bob wrote:\n\n> hello", "details": "",
    "items": "triage  7  VU#123456  answer\nada  8  VU#123457  statement", "date": "2026-02-01", "waiting": "nothing",
    "due": "follow-up-1  VU#123456  ACME", "participant": "ACME", "since": "2026-01-30", "item": "7", "sent": "2",
    "letter": "write", "state": "held", "reason": "no key", "away": "Bob", "until": "2026-02-10", "node": "a",
    "alarm": "x", "received": "2026-01-20", "sha256": "44bae50e" * 8, "number": "VU#123456", "count": "2",
    "answer_to": "cert+q7.lluyt3ln4bkjtuv4@cert.example", "expires_on": "2026-05-01",
    "their_key": "0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567",
    "pseudonym": "Coordinator KTRV", "wanted": "It is for your information.", "note": "",
    "because": "It asks for a CVE ID only.", "way_1": "Ask the vendor.", "way_2": "Ask MITRE.", "way_3": "",
    "named": "We tell no vendor who reported it.", "credited": "Shall our note name you?",
    "sender": "psirt@acme.example", "proved": "It is not signed.", "becomes": "",
    "missing": "What is missing: a signature.",
    "remedy": "Please send it again.",
    "publication": "We plan to publish on 2026-03-04, 14:00 UTC.", "when": "Planned publication: 2026-03-04",
    "heard": "We have not heard from you since.", "perhaps": "",
    "cve": "CVE-2026-12345", "details_later": "", "how_clear_text": "", "version": "2, of 2026-01-19", "replaces": "1",
    "files": "",
    "answer_form": texts.ANSWER_FORM,
    "embargo_form": texts.EMBARGO_FORM, "keep": "Please keep the details confidential until we publish.",
    "asks": "We propose another date.", "proposed": "2026-05-04 14:00 UTC", "until_now": "No date is agreed.",
    "shorter": "", "answer_by": "2026-03-09", "ends": "2026-05-04 14:00 UTC", "said": "You have agreed.", "known": "",
    "next": "We may publish from now on.",
    "url": "https://notes.example/vuls/id/123456", "revision": "2", "published_on": "2026-03-04 14:00 UTC",
    "thanks": "Thank you for working with us on it.", "changed": "Statement of ACME added",
    "old_fingerprint": "89AB CDEF 0123 4567 89AB CDEF 0123 4567 89AB CDEF",
}  # fmt: skip
HOSTILE = [
    "x\r\nBcc: victim@elsewhere.example", "x\nDATA", "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i",
    "\u202eevil\u202c", "\u2066x\u2069", "\x00\x1b[31mred", "$vu ${body} $$", "{{7*7}}", "{0.__class__}",
    "%s %(vu)s %n", "\ud800", "x" * 5000, "=?utf-8?q?=0ABcc:_v=40e?=", "\u200b\ufeffVU#1\u00ad", "`id` $(id)", "\r", "",
]  # fmt: skip
NASTY = st.sampled_from('\r\n\x0b\x0c\x85\u2028\u202e$ {}<>"')
ANY_TEXT = st.text(st.one_of(st.characters(exclude_categories=()), NASTY))


# ---- what ships -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", texts.LETTERS)
def test_a_shipped_letter_fits_and_hides_nothing(name):
    filled = SHIPPED[name].fill(VALUES)
    assert all(len(line) <= texts.WIDTH for line in filled.body.split("\n")), filled.body
    assert filled.body.isascii()
    assert "$" not in filled.subject + filled.body
    assert "\n\n\n" not in filled.body
    assert filled.body == texts.block(filled.body)
    assert filled.automatic == (name in AUTOMATIC)
    assert "statement" not in filled.subject.lower()


@pytest.mark.parametrize("name", TO_PARTICIPANTS)
def test_a_letter_to_a_participant_names_its_case_and_us(name):
    body = SHIPPED[name].fill(VALUES).body
    assert "VU#123456" in body.split("\n")
    for shown in ("Ada Lane", "CERT Example", "+1 555 0100", "0123 4567", "https://cert.example/key.asc", "TLP:AMBER"):
        assert shown in body


def test_the_first_letter_asks_the_four_questions_and_says_the_rest():
    body = SHIPPED["notification"].fill(VALUES).body
    flat = " ".join(body.split())
    assert body.count("\n- ") == 4
    for said in (
        "Is this a real vulnerability", "why do you believe so", "already been addressed", "expect a fix",
        "What more do you need", "45 days", "2026-03-04, 14:00 UTC", "https://cert.example/policy",
        "keep the line with VU#123456",
        "sign that mail with your organisation's OpenPGP key",
    ):  # fmt: skip
        assert said in flat


@pytest.mark.parametrize("name", ["follow-up-1", "follow-up-2", "follow-up-other"])
def test_a_reminder_says_of_which_letter(name):
    filled = SHIPPED[name].fill(VALUES)
    assert "2026-01-18" in filled.subject
    assert '("Vulnerability report")' in filled.body


def test_every_text_that_ships_is_known_and_the_other_way_round():
    files = {entry.name.removesuffix(".txt") for entry in texts.shipped().iterdir()}
    assert files == set(texts.LETTERS)


def test_no_letter_holds_lines_that_make_an_answer_a_statement():
    """An answer may repeat our letter unquoted; it must not become a Vendor Statement by that (DOMAIN.md)."""
    for text in SHIPPED.values():
        assert "==" not in text.body


# ---- filling --------------------------------------------------------------------------------------------------------


def filled(body: str, **values: str) -> str:
    text = texts.parse("write", f"Subject: s\n\n$vu\n\n{body}\n\n$body", "here")
    whole = text.fill(VALUES | {"body": "END"} | values).body
    return whole.removeprefix("VU#123456\n\n").removesuffix("END").strip("\n")


@pytest.mark.parametrize(
    ("body", "values", "result"),
    [
        ("one\ntwo $vendor", {"vendor": "ACME"}, "one two ACME"),
        (f"{'word ' * 14}$vendor end", {"vendor": "ACME"}, f"{'word ' * 13}word\nACME end"),
        ("$analyst\n$phone\n$address", {"phone": ""}, "Ada Lane\ncert@cert.example"),
        ("  Phone: $phone\n  Key: $key_url", {"phone": " \r\n", "key_url": ""}, ""),
        ("  Phone: $phone\n  Fixed line", {"phone": ""}, "  Fixed line"),
        ("- a $vendor\n  b", {"vendor": "x " * 40}, f"- a {'x ' * 34}\n  {'x ' * 6}\n  b".replace(" \n", "\n")),
        ("  $key_url", {"key_url": f"https://x.example/{'a' * 90}"}, f"  https://x.example/{'a' * 90}"),
        ("costs $$5 in ${vendor}s", {}, "costs $5 in ACMEs"),
    ],
)
def test_paragraphs_flow_or_keep_their_lines(body, values, result):
    assert filled(body, **values) == result


def test_free_text_keeps_its_lines_and_may_be_left_out():
    text = texts.parse("reply", "Subject: s\n\n$vu\n\n$body\n\n$quoted\n", "here")
    body = "  indented\n\n\n\tand kept " + "x" * 100
    assert text.fill({"vu": "VU#1", "body": body, "quoted": ""}).body == f"VU#1\n\n{body}"
    assert text.fill({"vu": "VU#1", "body": "x"}).body == "VU#1\n\nx"
    with pytest.raises(KeyError, match="body"):
        text.fill({"vu": "VU#1"})


def test_a_forgotten_value_is_told_by_name():
    with pytest.raises(KeyError, match="publication"):
        SHIPPED["notification"].fill({name: value for name, value in VALUES.items() if name != "publication"})


@pytest.mark.row("S32")
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", texts.LETTERS)
def test_a_hostile_value_is_only_data(name, value):
    letter = SHIPPED[name]
    free = dict.fromkeys(texts._FREE_TEXT, "FREE")
    kept = dict.fromkeys(letter.placeholders - free.keys(), "KEPT")
    harmless = letter.fill(kept | free)
    hostile = letter.fill(dict.fromkeys(kept, value) | free)
    assert len(hostile.subject.splitlines()) <= 1
    assert "\n" not in hostile.subject
    # nothing but blanks and line ends differs from the letter with the value put in its place
    shown = texts.one_line(value)
    lines = [line for line in harmless.body.split("\n") if shown or "KEPT" not in line]
    assert not shown or "".join("".join(lines).replace("KEPT", shown).split()) == "".join(hostile.body.split())


@pytest.mark.row("S32")
@given(ANY_TEXT)
def test_one_line_is_one_visible_line(value):
    line = texts.one_line(value)
    assert line.splitlines() in ([], [line])
    assert line == texts.one_line(line) == line.strip()
    assert len(line) <= texts.LONGEST_VALUE
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", line)
    line.encode("utf-8")


@pytest.mark.row("S32")
@given(ANY_TEXT)
def test_a_block_holds_lines_and_nothing_that_moves(value):
    text = texts.block(value)
    assert text == texts.block(text)
    assert text.splitlines() == (text.split("\n") if text else [])
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", text)
    text.encode("utf-8")


def test_scripts_that_run_from_right_to_left_keep_their_marks_in_a_body():
    assert texts.block("שלום\u200f!\u202e") == "שלום\u200f!"
    assert texts.one_line("שלום\u200f!") == "שלום!"


def test_a_listing_keeps_rows_apart_and_is_bounded():
    rows = [("triage", "7", "VU#1", "evil\nada  8"), ("", "9")]
    assert texts.listing(rows) == "triage  7  VU#1  evil ada 8\n9"
    assert texts.listing([("x",)] * 5, most=3) == "x\nx\nx\n… and 2 more"
    assert texts.listing([]) == ""


# ---- replacing ------------------------------------------------------------------------------------------------------

GOOD = "Subject: Hello from $organisation\n\n$vu\n\n$body\n"


def test_a_file_of_the_same_name_replaces_a_text(tmp_path):
    (tmp_path / "write.txt").write_text(GOOD.replace("\n", "\r\n"))
    (tmp_path / "README").write_text("is no letter and is left alone")
    read = texts.read(tmp_path)
    assert read["write"].fill(VALUES).subject == "Hello from CERT Example"
    assert read["reply"] == SHIPPED["reply"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("write.txt", GOOD + "$nonsense", "unknown placeholder $nonsense; there are address, analyst, body"),
        ("write.txt", GOOD + "${vendor", "a '$' that begins no placeholder"),
        ("write.txt", GOOD + "$vendor.name costs $5", "a '$' that begins no placeholder"),
        ("write.txt", GOOD.replace("$vu", ""), "the body must show $vu"),
        ("write.txt", GOOD.replace("$body", ""), "the body must show $body"),
        ("write.txt", "Subject: $vu $body\n\nx", "the body must show $body"),
        ("write.txt", GOOD.replace("Hello", "Vendor Statement"), "the subject must not say 'statement'"),
        ("write.txt", "", "is empty or larger"),
        ("write.txt", " \n\n", "must begin with one line 'Subject: …'"),
        ("write.txt", "Hello\n\n$vu $body", "must begin with one line 'Subject: …'"),
        ("write.txt", GOOD.replace("\n\n$vu", "\nBcc: all@cert.example\n\n$vu"), "must begin with one line"),
        ("write.txt", b"Subject: \xff\n\n$vu\n\n$body", "is not UTF-8"),
        ("write.txt", GOOD + "x" * texts.LARGEST_FILE, "is empty or larger than 65536 bytes"),
        ("wirte.txt", GOOD, "wirte.txt replaces no letter; there are notification, details, follow-up-1"),
    ],
)
def test_a_bad_replacement_is_refused_by_file_and_reason(tmp_path: Path, name, content, says):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Refused) as refused:
        texts.read(tmp_path)
    assert says in str(refused.value)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"letters_dir: .* is not a folder"):
        texts.read(tmp_path / "nothing")
