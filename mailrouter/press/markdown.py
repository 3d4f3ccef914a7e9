"""What analysts write, as HTML: CommonMark without raw HTML and pictures; links lead to the web or a mailbox only."""

from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

SCHEMES = frozenset({"http", "https", "mailto"})
REL = "nofollow noopener noreferrer"  # what others put behind an address is not ours


def html(text: str, under: int = 2) -> Markup:
    """The text; its headings are all one below the heading of level `under` that it stands under."""
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(under + 1, 6)}"
    _mark_links(tokens)
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))  # noqa: S704 - made of escaped text


def leads_out(address: str) -> bool:
    """Whether an address may be a link."""
    try:
        return urlsplit(address.strip()).scheme.casefold() in SCHEMES
    except ValueError:  # `https://[`
        return False


def _mark_links(tokens: Sequence[Token]) -> None:
    for inline in tokens:
        children = inline.children or []
        for number, token in reversed([*enumerate(children)]):
            if token.type == "link_open":
                token.attrSet("rel", REL)
                if not _said(children[number + 1 :]):
                    address = Token("text", "", 0, content=str(token.attrGet("href")))
                    children.insert(number + 1, address)  # a link without a word could be seen and heard by nobody


def _said(after: Sequence[Token]) -> str:
    """What a link says: all up to its end, which stands in `after`."""
    within = takewhile(lambda one: one.type != "link_close", after)
    return "".join(one.content for one in within).strip()


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).disable(["image", "html_block", "html_inline"])
    parser.validateLink = leads_out  # type: ignore[method-assign,assignment]  # its documented way to say which links may be
    return parser
