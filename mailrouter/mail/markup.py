"""HTML to readable text, for mail that brings nothing else.

Not a browser and not a sanitiser: what comes out is plain text and is shown as plain text. The tokenizer is our own
because it must be linear for hostile input; the standard library's parser was not (CVE-2025-6069).
"""

import html
import re
from collections.abc import Iterator, Sequence

_OPENING = re.compile(r"<(?=/?[a-zA-Z]|[!?])")  # any other "<" is text
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:-]{0,30})")
_LONG_REFERENCE = re.compile(r"&#[0-9]{8,};?|&#[xX][0-9a-fA-F]{7,};?")  # html.unescape raises for 4,300 digits
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_EMPTY_LINES = re.compile(r"\n\s*\n")

_DEPTH = {"\x01": 1, "\x02": -1}  # marks a quotation's beginning and end between lines; no text holds them
_OPENS, _CLOSES = (f"\n{mark}\n" for mark in _DEPTH)
_DEEPEST = 8
_LONGEST_TAG = 400  # characters of a tag looked at
# An indented block is a quotation when a mail program marks it as one, or draws the usual line beside it.
_QUOTATION = re.compile(r"type=[\"']?cite|class=[\"'][^\"'<>]{0,80}quote|\bcite=|border-left", re.IGNORECASE)
_ATTRIBUTION = re.compile(r"class=[\"'](?:gmail_attr|moz-cite-prefix)", re.IGNORECASE)

_HIDDEN = frozenset({"script", "style", "head", "title", "template", "noscript", "textarea", "xmp", "plaintext"})
_BLOCKS = frozenset({
    "address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
})  # fmt: skip


def text(source: str) -> str:
    """What a reader would see of it, block by block; scripts, styles and the head are left out, links not followed.

    What stands in a quotation begins with `> `, as in plain mail.
    """
    lines = "".join(_pieces(source)).split("\n")
    return _EMPTY_LINES.sub("\n\n", "\n".join(_quoted(lines))).strip("\n")


def _quoted(lines: Sequence[str]) -> Iterator[str]:
    """The lines without needless blanks, marked by how deep they are quoted."""
    depth = 0
    for line in lines:
        if line in _DEPTH:
            depth = max(0, depth + _DEPTH[line])
            continue
        bare = _BLANKS.sub(" ", line).strip(" ")
        yield f"{'> ' * min(depth, _DEEPEST)}{bare}" if bare else ""


def quoted_at(source: str) -> int:
    """Where the rest is a quoted mail, by the marks mail programs leave above it; len(source) if nowhere.

    Not what stands in a blockquote: `text` marks that, and what its reader wrote between such blocks is kept.
    """
    found = _QUOTED_BELOW.search(source)
    end = found.start() if found else len(source)
    soft = _QUOTED_BLOCK.search(source, 0, end)
    return soft.start() if soft and not _BLOCKQUOTE.search(source, soft.end()) else end


# A head somebody forgot to close ends where the body starts.
_END_TAGS = {
    name: re.compile(rf"</{name}\b[^>]*>" + (r"|(?=<body\b)" if name == "head" else ""), re.IGNORECASE)
    for name in _HIDDEN
}
_QUOTED_BELOW = re.compile(
    r'<(?:div|span|p)\b[^<>]{0,200}class=["\']?[^"\'<>]{0,80}(?:yahoo_quoted|OutlookMessageHeader|zmail_extra'
    r"|ms-outlook-mobile-reference-message)"
    r'|<(?:div|span)\b[^<>]{0,200}id=["\']?(?:x_)?(?:divRplyFwdMsg|mail-editor-reference-message-container|appendonsend'
    r"|stopSpelling|OLK_SRC_BODY_SECTION|isForwardContent|isReplyContent|ms-outlook-mobile-body-separator-line)"
    r'|<div\b[^<>]{0,200}name=["\']?quote\b|<hr\b[^<>]{0,100}id="?stopSpelling',
    re.IGNORECASE,
)
_QUOTED_BLOCK = re.compile(
    r'<div\b[^<>]{0,200}class=["\']?(?:gmail_quote|gmail_extra|moz-cite-prefix|protonmail_quote)', re.IGNORECASE
)
_BLOCKQUOTE = re.compile(r"<blockquote\b", re.IGNORECASE)


def _pieces(source: str) -> Iterator[str]:
    position, quotes = 0, _Quotes()
    while (found := _OPENING.search(source, position)) is not None:
        opening = found.start()
        yield _plain(source[position:opening])
        position, mark = _after_tag(source, opening)
        yield mark
        yield quotes.mark(source[opening : min(position, opening + _LONGEST_TAG)])
    yield _plain(source[position:])


class _Quotes:
    """Which of the open elements are quotations, and the marks to set where they begin and end."""

    def __init__(self) -> None:
        self._blocks: list[bool] = []
        self._attribution = False

    def mark(self, tag: str) -> str:
        """What stands in the text for this tag, beside what any tag stands for."""
        name = _TAG_NAME.match(tag, 1)
        match name[0].lower() if name else "":
            case "blockquote":
                self._blocks.append(bool(_QUOTATION.search(tag)))
                return _OPENS if self._blocks[-1] else ""
            case "/blockquote":
                return _CLOSES if self._blocks and self._blocks.pop() else ""
            case "div" if not self._attribution and _ATTRIBUTION.search(tag):
                self._attribution = True
                return _OPENS
            case "/div" if self._attribution:  # no program nests another inside
                self._attribution = False
                return _CLOSES
        return ""


def _plain(chunk: str) -> str:
    text = html.unescape(_LONG_REFERENCE.sub("\ufffd", _BLANKS.sub(" ", chunk)))
    return text.translate(_NO_MARKS)


_NO_MARKS = {1: None, 2: None}


def _after_tag(source: str, opening: int) -> tuple[int, str]:
    """Where reading goes on after the `<` at `opening`, and what stands for the tag in the text."""
    if source.startswith("<!--", opening):
        return _past(source, "-->", opening + 4), ""
    match = _TAG_NAME.match(source, opening + 1)
    if match is None:  # a declaration
        return _past(source, ">", opening), ""
    name = match[1].lower()
    end = _past(source, ">", match.end())
    if source[opening + 1] != "/" and name in _HIDDEN:
        return _past_element(source, name, end), ""
    return end, "\n" if name == "br" or name in _BLOCKS else " " if name in ("td", "th") else ""


def _past(source: str, mark: str, position: int) -> int:
    """Just behind the next mark; without one the rest of the source belongs to the tag."""
    found = source.find(mark, position)
    return len(source) if found < 0 else found + len(mark)


def _past_element(source: str, name: str, position: int) -> int:
    match = _END_TAGS[name].search(source, position)
    return len(source) if match is None else match.end()
