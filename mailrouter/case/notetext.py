"""The analyst's file of a note and the sections in it: Markdown under the template's headings (DOMAIN.md, The note).

Promises: what is read here is what readers will see: the file is taken apart by the parser that draws the page, so that
a heading within a fence is text. Refused, with the number of the line: unknown, missing and doubled sections, raw HTML,
pictures, tables, links elsewhere than to http, https and mailto, and characters that nobody sees or that
reorder what is read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailrouter import faults
from mailrouter.case.note import IMPACT_UNKNOWN, Sections

HEADINGS = ("Overview", "Description", "Impact", "Solution", "Acknowledgements", "References")
SCHEMES = ("http", "https", "mailto")
LONGEST_TITLE = 200
LARGEST = 256 * 1024  # bytes of a file
MOST_FAULTS = 5  # that are named at once

# Controls but for tab and line feed, overrides and isolates, and what nobody sees; marks of direction stay, for Hebrew
# and Arabic need them, and so do the joiners of other scripts.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u180e\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True)
class _Fault:
    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


# ---- a file as sections ----------------------------------------------------------------------------------------------


def parse(text: str) -> Sections:
    """The sections of a file. `Refused` names the first faults, each with its line."""
    lines = _plain(text).split("\n")
    if len(text.encode("utf-8", "replace")) > LARGEST:
        raise faults.Refused(f"a note may have {LARGEST // 1024} KiB")
    title, found, wrong = _cut(lines)
    wrong += _unseen(lines)
    for name, (first, body) in found.items():
        wrong += _references(first, body)[1] if name == "References" else list(_faults("\n".join(body), first))
    _refuse(wrong)
    bodies = {name: _trimmed(body) for name, (_, body) in found.items()}
    return Sections(
        title=title, overview=bodies["Overview"], description=bodies["Description"],
        impact=bodies["Impact"] or IMPACT_UNKNOWN, solution=bodies["Solution"],
        acknowledgements=bodies["Acknowledgements"], references=tuple(_references(*found["References"])[0]),
    )  # fmt: skip


def write(sections: Sections) -> str:
    """The file of these sections; `parse` reads it back."""
    bodies = {name: getattr(sections, name.lower()) for name in HEADINGS[:-1]}
    bodies["References"] = "\n".join(sections.references)
    parts = [f"# {sections.title}", *(f"## {name}\n\n{body}".rstrip("\n") for name, body in bodies.items())]
    return "\n\n".join(parts) + "\n"


def check(text: str, what: str) -> str:
    """Markdown of ours that is no whole note, as it is kept; `Refused` as with a note's."""
    kept = _plain(text).strip("\n")
    wrong = [*_unseen(kept.split("\n")), *_faults(kept, 1)]
    _refuse(wrong, what)
    return kept


def link(text: str) -> str:
    """An https address; `Refused` for anything else."""
    if trouble := _no_https(text):
        raise faults.Refused(f"{text!r} {trouble}")
    return text


def plain(text: str) -> str:
    """Any text as Markdown that shows it: no line of it begins a heading, nothing is HTML, a picture or a table."""
    clean = _UNSEEN.sub("", _plain(text))
    return re.sub(r"(?m)^( {0,3})(#|=+[ \t]*$|-+[ \t]*$)|([<!\\\[`~|])", r"\1\\\2\3", clean)


def line(text: str) -> str:
    """Any text as a title: one line of what can be seen."""
    return " ".join(_UNSEEN.sub(" ", text).split())[:LONGEST_TITLE].rstrip()


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _trimmed(body: Sequence[str]) -> str:
    return "\n".join(body).strip("\n") if any(line.strip() for line in body) else ""


def _refuse(wrong: Sequence[_Fault], what: str = "") -> None:
    if wrong:
        told = "; ".join(map(str, sorted(wrong, key=lambda one: one.line)[:MOST_FAULTS]))
        more = len(wrong) - MOST_FAULTS
        raise faults.Refused(f"{what}{': ' if what else ''}{told}" + (f"; and {more} more" if more > 0 else ""))


# ---- headings --------------------------------------------------------------------------------------------------------

_Found = dict[str, tuple[int, list[str]]]  # section -> number of its first line, its lines


def _cut(lines: Sequence[str]) -> tuple[str, _Found, list[_Fault]]:
    """Title, sections, and what is wrong with their headings."""
    heads = list(_headings("\n".join(lines)))
    wrong: list[_Fault] = []
    title = _title(lines, heads, wrong)
    ends = [*(start for _, start, _ in heads[1:]), len(lines)][: len(heads)]
    found: _Found = {}
    for (level, start, after), end in zip(heads, ends, strict=True):
        if level == 2:
            _section(lines, start, after, end, found, wrong)
        elif any(line.strip() for line in lines[after:end]):
            wrong.append(_Fault(after + 1, "what stands here belongs under a heading: ## Overview comes first"))
    missing = [name for name in HEADINGS if name not in found]
    if missing:
        wrong.append(_Fault(len(lines), f"there is no section ## {', ## '.join(missing)}"))
    return title, {name: found.get(name, (1, [])) for name in HEADINGS}, wrong


def _headings(text: str) -> Iterator[tuple[int, int, int]]:
    """Level 1 or 2, its first line (from 0), the line after it; not those within lists, quotations and fences."""
    for token in _parser().parse(text):
        if token.type == "heading_open" and token.tag in ("h1", "h2") and token.level == 0:
            assert token.map is not None
            yield int(token.tag[1]), token.map[0], token.map[1]


def _title(lines: Sequence[str], heads: Sequence[tuple[int, int, int]], wrong: list[_Fault]) -> str:
    titles = [(start, _heading(lines[start])) for level, start, _ in heads if level == 1]
    before = lines[: heads[0][1]] if heads else lines
    if not titles or heads[0][0] != 1 or any(line.strip() for line in before):
        wrong.append(_Fault(1, "a note begins with its title: # Title"))
    wrong += [_Fault(start + 1, "a note has one title; sections begin with ##") for start, _ in titles[1:]]
    if titles and not 0 < len(titles[0][1]) <= LONGEST_TITLE:
        wrong.append(_Fault(titles[0][0] + 1, f"a title has 1 to {LONGEST_TITLE} characters"))
    return titles[0][1] if titles else ""


def _heading(line: str) -> str:
    """Its words; the title's may end in #."""
    return " ".join(line.strip().lstrip("#").split())


def _section(lines: Sequence[str], start: int, after: int, end: int, found: _Found, wrong: list[_Fault]) -> None:
    words = _heading(lines[start]).rstrip("# ")
    name = next((one for one in HEADINGS if one.casefold() == words.casefold()), "")
    if not name:
        known = ", ".join(HEADINGS)
        wrong.append(_Fault(start + 1, f"{words!r} is no section; there are {known}; below them use ###"))
    elif name in found:
        wrong.append(_Fault(start + 1, f"## {name} stands there twice"))
    else:
        found[name] = after + 1, list(lines[after:end])


# ---- what stands in them ---------------------------------------------------------------------------------------------


def _parser() -> MarkdownIt:
    """As the page is drawn, but that HTML, and any link, is recognised: to be refused."""
    parser = MarkdownIt("commonmark", {"html": True})
    parser.validateLink = _any_link  # type: ignore[method-assign]  # the library's own way to say so
    return parser


def _any_link(url: str) -> bool:
    return True


def _faults(text: str, first: int) -> Iterator[_Fault]:
    """What readers must not be given, each with its line; `first` is the number of the text's first."""
    for token in _parser().parse(text):
        line = first + (token.map[0] if token.map else 0)
        if token.type == "html_block":
            yield _Fault(line, NO_HTML)
        yield from _tables(token, line)
        for child in token.children or ():
            if what := _wrong(child):
                yield _Fault(line, what)
            line += child.type in ("softbreak", "hardbreak")


_UNDER_A_TABLES_HEAD = re.compile(r"(?=.*\|)[ \t|:]*-[ \t|:-]*")


def _tables(token: Token, first: int) -> Iterator[_Fault]:
    """A paragraph's lines that people mean as a table: CommonMark has none, readers would see the bars."""
    rows = token.content.split("\n") if token.type == "inline" else []
    for number, row in enumerate(rows[1:], first):
        if _UNDER_A_TABLES_HEAD.fullmatch(row):
            yield _Fault(number, "tables are not taken; write a list, or a fence of ``` around it")


NO_HTML = "raw HTML is not taken; write a < that is meant as `<` or \\<"


def _wrong(token: Token) -> str:
    if token.type == "html_inline":
        return NO_HTML
    if token.type == "image":
        return "pictures are not taken"
    if token.type == "link_open":
        scheme = str(token.attrs.get("href", "")).partition(":")[0].casefold()
        return "" if scheme in SCHEMES else f"a link leads to {', '.join(SCHEMES)} only"
    return ""


def _references(first: int, body: Sequence[str]) -> tuple[list[str], list[_Fault]]:
    """One address a line, perhaps as an item of a list."""
    found: list[str] = []
    wrong: list[_Fault] = []
    for number, line in enumerate(body, first):
        address = re.sub(r"^[-*+][ \t]+", "", line.strip()).removeprefix("<").removesuffix(">")
        trouble = _no_https(address) if address else ""
        if address in found:
            trouble = "stands there twice"
        if trouble:
            wrong.append(_Fault(number, f"this reference {trouble}"))
        elif address:
            found.append(address)
    return found, wrong


def _no_https(text: str) -> str:
    wanted = "is no https address, as https://vendor.example/advisory"
    try:
        parts = urlsplit(text)
        fine = parts.scheme == "https" and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        return wanted
    return "" if fine and re.fullmatch(r"""[^\s<>"'\\`{}|^\x00-\x20\x7f-\x9f]+""", text) else wanted


def _unseen(lines: Sequence[str]) -> list[_Fault]:
    return [
        _Fault(number, f"a character that nobody sees or that reorders text, U+{ord(found[0]):04X}")
        for number, line in enumerate(lines, 1)
        if (found := _UNSEEN.search(line))
    ]


def incomplete(sections: Sections) -> list[str]:
    """The sections without which nothing is published and that are empty, by their headings."""
    needed = ("title", "overview", "description", "solution")
    return [one.name for one in fields(sections) if one.name in needed and not getattr(sections, one.name).strip()]
