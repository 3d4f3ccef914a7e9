"""Text whose paragraphs were broken for old screens, put together again (RFC 3676, `format=flowed`).

For showing and for quoting. What was signed is never taken from here. One pass; no line is lost.
"""

from collections.abc import Iterator

_DEEPEST = 20  # quote marks counted; more are text
_SIGNATURE = "-- "


def joined(text: str, *, delsp: bool = False) -> str:
    """A text with LF line ends, its flowed lines joined; `delsp`: the blank at a line's end was only a mark."""
    if " \n" not in text and "\n " not in text and not text.startswith(" ") and not text.endswith(" "):
        return text  # nothing flows, nothing is stuffed
    return "\n".join(_paragraphs(text, delsp=delsp))


def _paragraphs(text: str, *, delsp: bool) -> Iterator[str]:
    held: list[str] = []
    depth = 0
    for line in text.split("\n"):
        quoted, content = _unquoted(line)
        flows = content.endswith(" ") and content != _SIGNATURE
        if held and (quoted != depth or content in ("", _SIGNATURE)):  # section 4.5: another depth ends the paragraph
            yield _line(depth, held)
            held = []
        depth = quoted
        held.append(content[:-1] if flows and delsp else content)
        if not flows:
            yield _line(depth, held)
            held = []
    if held:
        yield _line(depth, held)


def _unquoted(line: str) -> tuple[int, str]:
    """How deep the line is quoted, and the rest of it without its stuffing (section 4.4)."""
    rest = line.lstrip(">")
    depth = min(len(line) - len(rest), _DEEPEST)
    return depth, line[depth:].removeprefix(" ")


def _line(depth: int, held: list[str]) -> str:
    content = "".join(held)
    content = content if content == _SIGNATURE else content.rstrip(" ")
    return f"{'>' * depth} {content}".rstrip() if depth else content
