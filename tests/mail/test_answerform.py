"""What the lines of the answer form say, as mail programs send them and as people fill them in."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import answerform, quote
from mailrouter.mail.answerform import Expected, Said, Source, What

VU = 123456
A, W, F, E, N = What.AFFECTED, What.WHY_NOT, What.FIXED_IN, What.FIX_EXPECTED, What.WE_NEED
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
    said = answerform.read_apart("Affected: yes", "Affected:\nFixed in: 3.2", VU)
    assert said == (Said(A, "yes"), Said(F, "3.2", 0, Source.QUOTED))
    assert answerform.read_apart("hello", "there", VU) == ()


def test_what_a_letter_of_ours_asks() -> None:
    assert answerform.asked(f"Dear vendor\n\n{EMPTY}\n\n{HEAD}> Affected: yes", VU) == frozenset(What)
    assert answerform.asked("Affected: yes | no | not a vulnerability | unknown\nFixed in: 3.2", VU) == {A}
    assert answerform.asked("Affected: yes\nAffected:", VU) == frozenset()
    assert answerform.asked("Thank you.\n> Affected:", VU) == frozenset()


# ---- what a value means ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "word", "plain"),
    [
        ("yes", "yes", True), ("Yes.", "yes", True), ("NO", "no", True), ("*no*", "no", True),
        ("not a vulnerability", "not a vulnerability", True), ("Not a  vulnerability!", "not a vulnerability", False),
        ("unknown", "unknown", True), ("yes, on Windows", "yes", False), ("no (see below)", "no", False),
        ("no - never built", "no", False), ("yes / no", "", False), ("nobody", "", False), ("not affected", "", False),
        ("yes and no", "", False), ("no-one knows", "", False), ("ACME Router 3.1", "", False), ("", "", False),
    ],
)  # fmt: skip
def test_words(value: str, word: str, plain: bool) -> None:
    assert (answerform.word(value), answerform.is_plain(value)) == (word, plain)


DATES = {
    "2026-12-01": (2026, 12, 1, True), "2026/12/01": (2026, 12, 1, True), "2026-12-1.": (2026, 12, 1, True),
    "by 2026-12-01": (2026, 12, 1, True), "1 December 2026": (2026, 12, 1, True), "1st Dec 2026": (2026, 12, 1, True),
    "on 1. December 2026": (2026, 12, 1, True), "December 1, 2026": (2026, 12, 1, True),
    "Dec. 1st, 2026": (2026, 12, 1, True), "around 2026-12-01": (2026, 12, 1, False),
    "2026-12-01 (tentative)": (2026, 12, 1, False), "December 2026": (2026, 12, 31, False),
    "end of February 2028": (2028, 2, 29, False), "2026-12": (2026, 12, 31, False),
    "3.2.1 on 2026-12-01": (2026, 12, 1, False),
}  # fmt: skip
NO_DATES = [
    "", "soon", "Q4 2026", "01/12/2026", "12/01/26", "2026-13-01", "2026-02-30", "2026", "31 November 2026",
    "2026-12-01 or 2027-01-01", "between May 2026 and June 2026", "1999-12-01", "20261201", "12026-12-01",
]  # fmt: skip


@pytest.mark.parametrize("value", DATES)
def test_dates(value: str) -> None:
    year, month, day, sure = DATES[value]
    assert answerform.expected(value) == Expected(date(year, month, day), sure)


@pytest.mark.parametrize("value", NO_DATES)
def test_no_dates(value: str) -> None:
    assert answerform.expected(value) is None


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d %B %Y", "%B %d, %Y"]))
def test_every_day_is_read(day: date, form: str) -> None:
    assert answerform.expected(f"{day:{form}}") == Expected(day, sure=True)


def test_as_people_read_it() -> None:
    assert answerform.line("affected", "yes", 0) == "Affected: yes"
    assert answerform.line("fixed-in", "3", 2, VU) == "Fixed in (VU#123456.2): 3"
    assert answerform.line("their-ref", "A-1", 0) == "their-ref: A-1"


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
    answerform.read_apart(text, quoted, VU)
    answerform.asked(text, VU)
    answerform.expected(text)
    assert answerform.word(text) in ("", *answerform.WORDS)


@given(st.sampled_from(list(What)), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 .,]{0,40}[A-Za-z0-9]{4}", fullmatch=True))
def test_what_is_filled_in_is_read(what: What, value: str) -> None:
    text = f"Hello,\n\n{answerform.LABELS[what]}: {value}\n\nRegards"
    said = answerform.read(text, VU)
    assert said in ((), (Said(what, " ".join(value.split())),))
    assert said or value.casefold() in ("none", "nothing", "unknown", "not yet", "not known")


@pytest.mark.parametrize(
    "piece", ["Affected:\n", "> Affected:\nyes\n", "Affected: yes\n", "We need: x\n y\n", "a\n", ">\n"]
)
def test_hostile_length(piece: str) -> None:
    assert len(answerform.read(piece * 100_000, VU)) <= 1
    answerform.read(piece.strip() * 100_000, VU)
