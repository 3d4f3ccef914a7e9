"""What the lines of the answer form say, as mail programs send them and as people fill them in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case.answers import LABELS, Said, Source, What
from mailrouter.mail import answerform, quote, texts

VU = 123456
A, W, F, E, N = What.AFFECTED, What.WHY_NOT, What.FIXED_IN, What.FIX_EXPECTED, What.WE_NEED
ASKED = frozenset({A, W, F, E, N})
EMPTY = "Affected:\nWhy not:\nFixed in:\nFix expected:\nWe need:"
QUOTED = "> Affected:\n> Why not:\n> Fixed in:\n> Fix expected:\n> We need:"
HEAD = "On Mon, 2 Nov 2026 at 10:00, Our CERT <cert@cert.example> wrote:\n"
OUTLOOK = "See below.\n\n-----Original Message-----\nFrom: CERT <cert@cert.example>\nSent: Monday\nSubject: x\n\n"


def read(text: str) -> list[tuple[What, str, int, Source]]:
    return [(one.what, one.value, one.vulnerability, one.source) for one in answerform.read(text, VU)]


def own(*said: tuple[What, str] | tuple[What, str, int]) -> list[tuple[What, str, int, Source]]:
    return [(one[0], one[1], one[2] if len(one) == 3 else 0, Source.OWN) for one in said]


# ---- what the sender wrote now ---------------------------------------------------------------------------------------

WRITTEN = {
    "Affected: yes": own((A, "yes")),
    "affected : YES.": own((A, "YES.")),
    "  *Affected:* yes": own((A, "yes")),
    "**Affected**: no": own((A, "no")),
    "- Affected: yes\n- Fixed in: 3.2.1": own((A, "yes"), (F, "3.2.1")),
    "1. Affected: yes\n2) Why not: -": own((A, "yes")),
    "Affected\u00a0:\u00a0yes\nFixed\u00a0in:\u00a03.2": own((A, "yes"), (F, "3.2")),
    "Affected\uff1ano": own((A, "no")),
    "Affected:\tunknown": own((A, "unknown")),
    "Affected:\nyes\nFixed in:\n": own((A, "yes")),
    "Affected:\n\nBest regards\nAna": [],
    "We need:\nAna Smith\nACME": [],
    "Affected (VU#123456.2): yes\nAffected (.1): no": own((A, "yes", 2), (A, "no", 1)),
    "Affected (VU#123456): yes": own((A, "yes")),
    "Affected [3]: yes": own((A, "yes", 3)),
    "Affected (VU#999999.2): yes": [],
    "Affected (CVE-2026-1): yes": own((A, "(CVE-2026-1) yes")),
    "Affected: yes | no | not a vulnerability | unknown": [],
    "Affected: (yes | no | not a vulnerability | unknown)": [],
    "Affected: [yes/no/not a vulnerability/unknown]": [],
    "Affected: yes/no": own((A, "yes/no")),
    "Affected: yes\nAffected: yes": own((A, "yes")),
    "Affected: yes\nAffected: no": own((A, "yes / no")),
    "Why not: the parser rejects the field\nbefore it is copied.\n\nBest": own(
        (W, "the parser rejects the field before it is copied.")
    ),
    "Why not: never built\nBest regards\nAna": own((W, "never built")),
    "We need: a proof of concept\nand the version you tested\nFixed in: 1": own(
        (N, "a proof of concept and the version you tested"), (F, "1")
    ),
    "Fixed in: 3.2\nAna from ACME": own((F, "3.2")),
    "Fixed in: ACME Router 3.2.1, ACME Switch 4.0.17 and all of the\nACME Hub series": own(
        (F, "ACME Router 3.2.1, ACME Switch 4.0.17 and all of the ACME Hub series")
    ),
    "Fixed in: 3.2\n  4.0": own((F, "3.2 4.0")),
    "Fixed in: not yet\nFix expected: TBD\nWe need: nothing\nWhy not: n/a": [],
    "Fixed in: ...\nFix expected: ___\nWe need: --\nWhy not: ?": [],
    EMPTY: [],
    "We are not affected: see below": [],
    "Dear all,\n\nAffected: yes\nFix expected: December 2026\n\n-- \nAffected: no": own(
        (A, "yes"), (E, "December 2026")
    ),
    f"Affected: yes\n\n{HEAD}{QUOTED}": own((A, "yes")),
    f"Affected: yes\n\n{HEAD}> Affected: no": own((A, "yes")),
    f"Affected: yes\n\n-----Original Message-----\nFrom: CERT\nSent: x\nTo: us\n\n{EMPTY}": own((A, "yes")),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_written_now(text: str) -> None:
    assert read(text) == WRITTEN[text]


# ---- within our form -------------------------------------------------------------------------------------------------

WITHIN = {
    "filled in behind the quotation mark (Thunderbird, mutt)": (
        f"{HEAD}> VU#123456\n>\n> Affected: yes\n> Why not:\n> Fixed in: 3.2.1\n> Fix expected:\n> We need:",
        [(A, "yes", 0, Source.QUOTED), (F, "3.2.1", 0, Source.QUOTED)],
    ),
    "filled in below the divider (Outlook)": (
        f"{OUTLOOK}Affected: no\nWhy not: not built\nFixed in:\nFix expected:\nWe need:",
        [(A, "no", 0, Source.QUOTED), (W, "not built", 0, Source.QUOTED)],
    ),
    "below each question": (
        f"{HEAD}> Affected:\nyes\n> Why not:\n> Fixed in:\n\n3.2.1, 4.0\n\n> Fix expected:\n> We need:\n\nBest\nAna",
        [(A, "yes", 0, Source.BELOW), (F, "3.2.1, 4.0", 0, Source.BELOW)],
    ),
    "an answer under all of it is text": (f"{HEAD}{QUOTED}\n\nThank you, we will look at it.", []),
    "one clear word under a question": (f"{HEAD}> Affected:\nNo.", [(A, "No.", 0, Source.BELOW)]),
    "quoted twice: said before": (f"{HEAD}> > Affected: yes\n> Thanks.\n> Affected:", []),
    "there twice: nobody can say which": (f"{HEAD}> Affected: yes\n> Affected:\n> We need: a PoC", [
        (N, "a PoC", 0, Source.QUOTED)
    ]),
    "own words go before": (f"Affected: no\n\n{HEAD}> Affected: yes\n> Fixed in: 3", [
        (A, "no", 0, Source.OWN), (F, "3", 0, Source.QUOTED)
    ]),
}  # fmt: skip


@pytest.mark.parametrize("case", WITHIN)
def test_within_the_quoted_form(case: str) -> None:
    text, said = WITHIN[case]
    assert read(text) == said


def test_html_comes_in_two() -> None:
    said = answerform.read_lines(answerform.in_two("Affected: yes", "Affected:\nFixed in: 3.2"), VU)
    assert said == (Said(A, "yes"), Said(F, "3.2", 0, Source.QUOTED))
    assert answerform.in_two("hello", "there") == ()


def test_what_a_letter_of_ours_asks() -> None:
    assert answerform.asked(f"Dear vendor\n\n{EMPTY}\n\n{HEAD}> Affected: yes", VU) == ASKED
    assert answerform.asked("Affected: yes | no | not a vulnerability | unknown\nFixed in: 3.2", VU) == {A}
    assert answerform.asked("Affected: yes\nAffected:", VU) == frozenset()
    assert answerform.asked("Thank you.\n> Affected:", VU) == frozenset()


# ---- the letters that we really send, in the answers of common mail programs -----------------------------------------

LETTER = f"""VU#123456

Please answer these questions as far as you can:

- Is this a real vulnerability in your products? If not, why do you
  believe so?
- What more do you need, from us or from the reporter?

{texts.ANSWER_FORM}

Please answer by mail to cert@cert.example and keep the number VU#123456 in the
subject, so that your answer finds the analyst who handles the case."""
FILLED = LETTER.replace("Affected:\n", "Affected: yes\n").replace("We need:", "We need: a PoC")


def marked(text: str, mark: str = "> ") -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in text.split("\n"))


HEADERS = "From: Our CERT <cert@cert.example>\nSent: Monday, 2 November 2026 10:00\nTo: psirt@acme.example\nSubject: "
STYLES = {
    "Thunderbird": lambda text: f"Hello,\n\nsee below.\n\nOn 02.11.26 10:00, Our CERT wrote:\n{marked(text)}\n",
    "mutt, below": lambda text: (
        f"On Mon, Nov 02, 2026 at 10:00:00AM +0000, Our CERT wrote:\n{marked(text)}\n\nBest\nAna"
    ),
    "Gmail": lambda text: "On Mon, 2 Nov 2026 at 10:00, Our CERT <cert@cert.example>\nwrote:\n\n" + marked(text),
    "Apple Mail": lambda text: "> On 2. Nov 2026, at 10:00, Our CERT <cert@cert.example> wrote:\n>\n" + marked(text),
    "Outlook": lambda text: f"See below.\n\n-----Original Message-----\n{HEADERS}[VU#123456] x\n\n{text}",
    "Outlook, ruled": lambda text: f"Hi\n\n________________________________\n{HEADERS}x\n\n{text}",
    "German Outlook": lambda text: (
        "Hallo\n\nVon: Our CERT <cert@cert.example>\nGesendet: Montag, 2. November 2026 10:00\nAn: psirt@acme.example\n"
        f"Betreff: [VU#123456] x\n\n{text}"
    ),
    "a bar": lambda text: f"2026-11-02 10:00 Our CERT <cert@cert.example>:\n{marked(text, '>')}",
}


@pytest.mark.parametrize("style", STYLES)
def test_filled_in_where_a_mail_program_quotes_our_letter(style: str) -> None:
    empty, filled = STYLES[style](LETTER), STYLES[style](FILLED)
    assert answerform.read(empty, VU) == ()
    assert read(filled) == [(A, "yes", 0, Source.QUOTED), (N, "a PoC", 0, Source.QUOTED)]
    assert read(f"Affected: no\n\n{empty}") == own((A, "no"))


def test_our_letter_asks_all_five() -> None:
    assert answerform.asked(LETTER, VU) == ASKED


def test_a_letter_about_the_embargo_asks_for_it_alone() -> None:
    assert answerform.asked(texts.EMBARGO_FORM, VU) == {What.EMBARGO}


# ---- whatever it is --------------------------------------------------------------------------------------------------

PIECES = st.sampled_from([
    "Affected:", "Affected: yes", "> Affected:", "> Affected: no", ">> Affected: yes", "Why not: x", "> We need: y",
    "", "yes", "text", "-- ", HEAD.strip(), "-----Original Message-----", "From: a", "Fixed in (.2): 3", "  4",
])  # fmt: skip


@given(st.lists(PIECES, max_size=30))
def test_lines_of_any_kind_in_any_order(lines: list[str]) -> None:
    said = answerform.read("\n".join(lines), VU)
    assert all(one.value and "\n" not in one.value and len(one.value) <= answerform.LONGEST for one in said)
    assert len({(one.what, one.vulnerability) for one in said}) == len(said)
    visible = quote.split("\n".join(lines)).visible
    assert all(one.value.split(" / ")[0].split(" ")[0] in visible for one in said if one.source is not Source.QUOTED)


@given(st.text(), st.text())
def test_any_text(text: str, quoted: str) -> None:
    answerform.read(text, VU)
    answerform.read_lines(answerform.in_two(text, quoted), VU)
    answerform.asked(text, VU)


@given(
    st.sampled_from([one for one in LABELS if one is not What.CVE]),  # where a CVE ID alone is one
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 .,]{0,40}[A-Za-z0-9]{4}", fullmatch=True),
)
def test_what_is_filled_in_is_read(what: What, value: str) -> None:
    text = f"Hello,\n\n{LABELS[what]}: {value}\n\nRegards"
    said = answerform.read(text, VU)
    assert said in ((), (Said(what, " ".join(value.split())),))
    assert said or value.casefold() in ("none", "nothing", "unknown", "not yet", "not known")


@pytest.mark.parametrize(
    "piece", ["Affected:\n", "> Affected:\nyes\n", "Affected: yes\n", "We need: x\n y\n", "a\n", ">\n"]
)
def test_hostile_length(piece: str) -> None:
    assert len(answerform.read(piece * 100_000, VU)) <= 1
    answerform.read(piece.strip() * 100_000, VU)


@pytest.mark.parametrize(
    ("qualifier", "about"),
    [
        ("CVE-2026-1002", (2, "no")), ("cve-2026-1001", (1, "no")), ("for CVE-2026-1002", (2, "no")),
        ("CVE-2026-9999", (0, "(CVE-2026-9999) no")),  # not one of ours
        ("CVE-2026-1001, CVE-2026-1002", (0, "(CVE-2026-1001, CVE-2026-1002) no")),
    ],
)  # fmt: skip
def test_a_known_cve_id_says_which_vulnerability_a_line_is_about(qualifier: str, about: tuple[int, str]) -> None:
    lines = answerform.apart(f"Affected ({qualifier}): no\n")
    [said] = answerform.read_lines(lines, 123456, {"CVE-2026-1001": 1, "CVE-2026-1002": 2})
    assert (said.vulnerability, said.value) == about
