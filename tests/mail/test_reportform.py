"""The VRF form: filled in as people and mail programs do it, and never losing what they wrote."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import reportform
from mailrouter.mail.reportform import FIELDS, Filled, read

BLANK = reportform.template()
LABELS = {
    "contact": "Contact:", "product": "Product and version:", "description": "Description:",
    "impact": "Impact and attack scenario:", "discovered": "How discovered:", "poc": "Proof of concept:",
    "patch": "Suggested patch:", "public": "Public (yes or no):", "exploited": "Exploited (yes or no):",
    "vendor_contacted": "Vendor contacted (yes or no, and when):", "why_us": "Why us:",
    "other_vendors": "Other vendors:", "dates": "Dates:", "plans": "Disclosure plans:",
    "credit": "Credit me in the note (yes or no):", "share_name": "Share my name with vendors (yes or no):",
}  # fmt: skip


def filled(**answers: str) -> str:
    """The form with these answers behind their colons."""
    text = BLANK
    for field, answer in answers.items():
        text = text.replace(LABELS[field], f"{LABELS[field]} {answer}")
    return text


# ---- the form itself -------------------------------------------------------------------------------------------------


def test_the_form_asks_for_every_field_once_and_fits_a_mail() -> None:
    assert set(LABELS) == set(FIELDS)
    assert all(BLANK.count(f"\n{label}") == 1 for label in LABELS.values())
    assert max(map(len, BLANK.split("\n"))) <= 72
    assert BLANK.isascii()


def test_an_empty_form_says_nothing_and_names_nobody() -> None:
    for text in (BLANK, BLANK.replace("\n", "\r\n"), "".join(f"> {line}\n" for line in BLANK.split("\n"))):
        got = read(text)
        assert got == Filled({}, "", {})
        assert (got.public, got.exploited, got.credit, got.share_name, got.heading) == ("", "", False, False, "")


def test_every_field_is_read_back() -> None:
    answers = {field: f"what I say of {field}" for field in FIELDS}
    assert read(filled(**answers)) == Filled(answers, "", {})


# ---- as people fill it in --------------------------------------------------------------------------------------------

SHAPES = {
    "as it is": "Product and version: AX-7\n",
    "another case": "PRODUCT AND VERSION:   AX-7   \n",
    "another name": "Affected product: AX-7\n",
    "quoted": "> Product and version: AX-7\n",
    "quoted twice": ">> Product and version: AX-7\n> > Description:\n",
    "CRLF": "Product and version: AX-7\r\nDescription:\r\n",
    "CR": "Product and version: AX-7\rDescription:\r",
    "below the name": "Product and version:\n\nAX-7\n\n",
    "in bold": "*Product and version:* AX-7\n",
    "full-width colon": "Product and version\uff1a AX-7\n",
    "twice, once empty": "Product: \nDescription:\nProduct: AX-7\n",
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_field_in_every_shape_it_comes_back_in(name: str) -> None:
    assert read(SHAPES[name]) == Filled({"product": "AX-7"}, "", {})


def test_lines_of_a_field_keep_their_indentation_and_lose_only_the_quoting() -> None:
    text = "Hello,\n\nProof of concept:\n  int main() {\n\n    crash();\n  }\n> not quoted by us\nDescription: x\n"
    assert read(text) == Filled(
        {"poc": "  int main() {\n\n    crash();\n  }\n> not quoted by us", "description": "x"}, "Hello,", {}
    )
    quoted = "> Proof of concept:\n>  int main()\n> > deeper\nmine\n"
    assert read(quoted).fields == {"poc": " int main()\n> deeper\nmine"}


def test_free_text_is_a_report_too() -> None:
    text = "Dear CERT,\n\nthe AX-7 crashes.\nSee: https://finder.example\nNote: soon"
    assert read(text) == Filled({}, text, {})
    assert read(text).heading == "Dear CERT,"


def test_a_field_that_comes_again_adds_to_it() -> None:
    assert read("Description: one\nContact: Jo\nDescription: two").fields["description"] == "one\ntwo"


ANSWERS = {
    "yes": "yes", "Yes.": "yes", "YES, since May": "yes", "y": "yes", "[x] yes": "yes", "*yes*": "yes",
    "no": "no", "No!": "no", "none": "no", "not that I know": "no", "n": "no", "[X] no": "no",
    "": "", "yes/no": "", "[ ] yes [x] no": "", "[ ] yes": "", "yes and no": "", "maybe": "", "yesterday": "",
    "I do not know": "", "yes\nContact: x\nPublic: no": "", "yes\nPublic: yes": "yes", "\n\n  yes": "yes",
    "yes\nno patch exists": "yes", "yes, since May; no answer": "yes", "No. Yes, soon": "no",
}  # fmt: skip


@pytest.mark.parametrize("said", ANSWERS)
def test_yes_and_no(said: str) -> None:
    assert read(f"Public (yes or no): {said}").public == ANSWERS[said]
    assert read(f"Exploited? {said}").exploited == "", "without its colon it is no field"


@pytest.mark.parametrize(
    ("credit", "share", "wanted"),
    [("", "", (False, False)), ("yes", "", (True, False)), ("", "yes", (False, True)), ("yes", "no", (True, False)),
     ("yes, but not my employer, no", "yes", (False, True)), ("sure", "ok", (False, False))],
)  # fmt: skip
def test_credit_and_sharing_the_name_are_apart_and_no_until_they_say_yes(
    credit: str, share: str, wanted: tuple[bool, bool]
) -> None:
    got = read(filled(credit=credit, share_name=share))
    assert (got.credit, got.share_name) == wanted


# ---- whatever comes --------------------------------------------------------------------------------------------------

pieces = st.sampled_from(
    [
        *LABELS.values(),
        *BLANK.split("\n"),
        ">",
        "> ",
        "\r\n",
        "\n",
        ":",
        " ",
        "yes",
        "no",
        "[ ]",
        "\u2028",
        "\0",
        "word",
    ]
)
texts = st.lists(pieces | st.text(max_size=20), max_size=60).map("".join)


@given(texts)
def test_nothing_that_was_written_is_lost(text: str) -> None:
    """Every word is somewhere, but for the form's own lines and names, quoting marks and asterisks around a name."""
    got = read(text)
    kept = "\n".join([*got.fields.values(), got.free])
    ours = set(BLANK.casefold().split()) | {
        word for names in FIELDS.values() for name in names for word in name.split()
    }
    for word in text.replace(":", " ").replace("\uff1a", " ").split():
        plain = word.strip("*_> \0").casefold()
        if plain.isalnum() and plain not in ours and plain.isascii():
            assert plain in kept.casefold()


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(string.ascii_letters + " ", min_size=1), max_size=16))
def test_fields_in_any_order_are_what_was_written(answers: dict[str, str]) -> None:
    order = random.Random(len(answers)).sample(sorted(answers), len(answers))
    got = read("\r\n".join(f"{LABELS[field]} {answers[field]}" for field in order))
    assert got.fields == {field: answer.strip() for field, answer in answers.items() if answer.strip()}
    assert got.free == ""


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    got = read(text)
    assert {got.public, got.exploited} <= {"", "yes", "no"}
    assert "\r" not in got.free


@pytest.mark.parametrize("piece", [">", "> ", " >", ":", "(yes or no)", "* ", "Public:", "Public (", "\r", "[ ]", "\t"])
def test_a_megabyte_of_anything_takes_no_time_to_speak_of(piece: str) -> None:
    """Linear: the test's own time limit is what would tell."""
    read(piece * (1_000_000 // len(piece)))
