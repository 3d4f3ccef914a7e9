"""HTML to readable text, for mail that brings nothing else.

Not a browser and not a sanitiser: what comes out is plain text and is shown as plain text. The tokenizer is our own
because it must be linear for hostile input; the standard library's parser was not (CVE-2025-6069).
"""

import html
import re
from collections.abc import Iterator

_OPENING = re.compile(r"<(?=/?[a-zA-Z]|[!?])")  # any other "<" is text
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:-]{0,30})")
_LONG_REFERENCE = re.compile(r"&#[0-9]{8,};?|&#[xX][0-9a-fA-F]{7,};?")  # html.unescape raises for 4,300 digits
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_EMPTY_LINES = re.compile(r"\n\s*\n")

_HIDDEN = frozenset({"script", "style", "head", "title", "template", "noscript", "textarea", "xmp", "plaintext"})
_BLOCKS = frozenset({
    "address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
})  # fmt: skip


def text(source: str) -> str:
    """What a reader would see of it, block by block; scripts, styles and the head are left out, links not followed."""
    pieces = list(_pieces(source))
    lines = ("".join(pieces)).split("\n")
    joined = "\n".join(_BLANKS.sub(" ", line).strip(" ") for line in lines)
    return _EMPTY_LINES.sub("\n\n", joined).strip("\n")


def quoted_at(source: str) -> int:
    """Where the first quoted mail begins in the source, by the marks mail programs leave; len(source) if nowhere."""
    found = _QUOTE_MARK.search(source)
    return found.start() if found else len(source)


# A head somebody forgot to close ends where the body starts.
_END_TAGS = {
    name: re.compile(rf"</{name}\b[^>]*>" + (r"|(?=<body\b)" if name == "head" else ""), re.IGNORECASE)
    for name in _HIDDEN
}
_QUOTE_MARK = re.compile(
    r'<blockquote\b(?=[^<>]{0,300}(?:type="?cite|gmail_quote))'
    r'|<div\b[^<>]{0,200}class="?(?:gmail_quote|gmail_extra|moz-cite-prefix|yahoo_quoted|OutlookMessageHeader)'
    r'|<div\b[^<>]{0,200}id="?(?:divRplyFwdMsg|mail-editor-reference-message-container|appendonsend|stopSpelling)'
    r'|<hr\b[^<>]{0,100}id="?stopSpelling',
    re.IGNORECASE,
)


def _pieces(source: str) -> Iterator[str]:
    position = 0
    while (found := _OPENING.search(source, position)) is not None:
        opening = found.start()
        yield _plain(source[position:opening])
        position, mark = _after_tag(source, opening)
        yield mark
    yield _plain(source[position:])


def _plain(chunk: str) -> str:
    return html.unescape(_LONG_REFERENCE.sub("\ufffd", _BLANKS.sub(" ", chunk)))


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


