"""The analyst's file: read and written back; what is refused, with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import notetext
from mailrouter.case.note import IMPACT_UNKNOWN, Sections
from mailrouter.faults import Refused

FILE = """\
# Overflow in the AX-7 and C#

## Overview

The AX-7 *overflows*.

## Description

It does, at `<script>`:

```
# a comment
## another
```

### Details

* one
* two
* three

## Impact

## Solution

Update. See [the advisory](https://vendor.example/a) or <mailto:psirt@vendor.example>.

## Acknowledgements

Thanks to Jo.

## References

https://vendor.example/a
- <https://other.example/b?c=d#e>
"""


def test_a_file_is_its_sections() -> None:
    found = notetext.parse(FILE)
    assert (found.title, found.overview) == ("Overflow in the AX-7 and C#", "The AX-7 *overflows*.")
    assert "# a comment\n## another" in found.description
    assert found.impact == IMPACT_UNKNOWN
    assert found.references == ("https://vendor.example/a", "https://other.example/b?c=d#e")
    assert notetext.parse(notetext.write(found)) == found


def test_windows_lines_and_any_case_of_a_heading_are_the_same_file() -> None:
    assert notetext.parse("\ufeff" + FILE.replace("\n", "\r\n")) == notetext.parse(FILE)
    assert notetext.parse(FILE.replace("## Impact", "Impact\n------")) == notetext.parse(FILE)
    assert notetext.parse(FILE.replace("## Overview", "## OVERVIEW ##")) == notetext.parse(FILE)


WRONG = [
    (("# Overflow", "Overflow"), "line 1: a note begins with its title: # Title"),
    (("# Overflow in the AX-7 and C#", "# "), "line 1: a title has 1 to 200 characters"),
    (("# Overflow", "Before.\n\n# Overflow"), "line 1: a note begins with its title"),
    (("## Overview", "Stray.\n\n## Overview"), "line 2: what stands here belongs under a heading"),
    (("## Impact", "## Fix"), "line 22: 'Fix' is no section; there are Overview, Description,"),
    (("## Impact", "## Solution"), "line 24: ## Solution stands there twice"),
    (("## Impact\n", ""), "there is no section ## Impact"),
    (("```\n\n###", "\n\n###"), "there is no section ## Impact, ## Solution, ## Acknowledgements, ## References"),
    (("### Details", "# Details"), "line 16: a note has one title; sections begin with ##"),
    (("Thanks to Jo", "Thanks to <b>Jo</b>"), "line 30: raw HTML is not taken"),
    (("Thanks to Jo", "a\nb <!-- c -->"), "line 31: raw HTML is not taken"),
    (("Thanks to Jo", "<div>\n\nJo"), "line 30: raw HTML"),
    (("Thanks to Jo", "![Jo](https://jo.example/me.png)"), "line 30: pictures are not taken"),
    (("Thanks to Jo", "Thanks to\n| who | for |\n|-----|:---:|\n| Jo | all |"), "line 31: tables are not taken"),
    (("Thanks to Jo", "[Jo](javascript:alert(1))"), "line 30: a link leads to http, https, mailto only"),
    (("Thanks to Jo", "[Jo](/jo)"), "line 30: a link leads to"),
    (("Thanks to Jo", "[Jo][1]\n\n[1]: data:text/html,x"), "line 30: a link leads to"),
    (("Thanks to Jo", "Thanks to \u202eoJ"), "line 30: a character that nobody sees or that reorders text, U+202E"),
    (("Thanks to Jo", "Thanks\x1b[2J"), "U+001B"),
    (("Thanks to Jo", "Thanks\u200b"), "U+200B"),
    (("https://vendor.example/a\n-", "http://vendor.example/a\n-"), "line 34: this reference is no https address"),
    (("https://vendor.example/a\n-", "https://vendor.example/a b\n-"), "line 34: this reference is no https"),
    (("https://vendor.example/a\n-", "https://u:p@vendor.example/\n-"), "line 34: this reference is no https"),
    (("https://vendor.example/a\n-", "https://[x/\n-"), "line 34: this reference is no https"),
    (("<https://other.example/b?c=d#e>", "https://vendor.example/a"), "line 35: this reference stands there twice"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said for _, said in WRONG])
def test_refused_with_its_line(change: tuple[str, str], said: str) -> None:
    assert FILE.count(change[0]) >= 1
    with pytest.raises(Refused) as refused:
        notetext.parse(FILE.replace(*change, 1))
    assert said in str(refused.value)


def test_a_file_without_any_heading_is_refused_in_its_first_line() -> None:
    for text in ("", "Some words.\n"):
        with pytest.raises(Refused, match=r"^line 1: a note begins with its title"):
            notetext.parse(text)


def test_many_faults_are_told_together_and_the_rest_is_counted() -> None:
    with pytest.raises(Refused, match=r"^line 5: raw HTML.*; and 3 more$"):
        notetext.parse(FILE.replace("The AX-7", "\n".join(["x <b>"] * 8)))
    with pytest.raises(Refused, match="may have 256 KiB"):
        notetext.parse(FILE + "x" * notetext.LARGEST)


def test_markdown_of_ours_that_is_no_note() -> None:
    assert notetext.check("\r\n# Heading\r\n\r\nText\n", "the addendum") == "# Heading\n\nText"
    with pytest.raises(Refused, match=r"^the addendum: line 2: raw HTML"):
        notetext.check("a\n<b>c</b>", "the addendum")


@pytest.mark.parametrize("text", ["ftp://a.example/", "https:///", "", "https://a.example/\n", "https://a.example:x/"])
def test_links_are_https(text: str) -> None:
    assert notetext.link("https://a.example/ä?b=c") == "https://a.example/ä?b=c"
    with pytest.raises(Refused, match="is no https address"):
        notetext.link(text)


def test_incomplete_sections_are_named() -> None:
    empty = notetext.parse(FILE.replace("The AX-7 *overflows*.", "").replace("Update. See", "").replace("[the", "[t"))
    assert notetext.incomplete(empty) == ["overview"]
    assert notetext.incomplete(Sections(" ", "", "", "", "", "")) == ["title", "overview", "description", "solution"]


@given(st.text(st.sampled_from("ab #\n=-<>![](`\\|*_:&;~+.1>\t")), st.text(st.characters(codec="utf-8")))
def test_what_is_read_is_written_and_read_again(strange: str, any_text: str) -> None:
    for text in (strange, any_text):
        try:
            once = notetext.parse(FILE.replace("Thanks to Jo.", text))
        except Refused:
            continue
        assert notetext.parse(notetext.write(once)) == once


@given(st.text())
def test_any_text_can_be_put_into_a_section(text: str) -> None:
    shown = notetext.plain(text)
    found = notetext.parse(FILE.replace("Thanks to Jo.", shown.replace("\x00", "")))
    assert found.solution.startswith("Update. See")
