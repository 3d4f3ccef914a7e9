"""One MIME entity as raw bytes, read strictly: its type, and the exact slices between its boundaries.

`mime.py` reads mail for people and forgives much. A signature is only as good as the certainty that everybody reads the
same parts, so here what is not clearly well-formed is `malformed`, with the reason (testbook P44, P46). Nothing raises,
whatever the bytes. Time is linear in the size for each level of nesting.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from mailrouter.mail import headers, limits, words

MAX_PARTS = 200  # of one multipart; the rest stays unread

_HEAD_END = re.compile(rb"\n\r?\n")
_STRUCTURE = re.compile(
    rb"^(content-type|content-transfer-encoding)[ \t]*:((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE
)
# White space is bounded so that no value, however long, takes more than linear time.
_TYPE = re.compile(rb"\s{0,80}([!#$&^\w.+-]{1,80})/([!#$&^\w.+-]{1,80})\s{0,80}(?=;|$)", re.ASCII)
_PARAMETER = re.compile(
    rb";\s{0,80}(?:([!#$&^\w.+*-]{1,80})(?:\s{0,80}=\s{0,80}"
    rb"(?:\"((?:[^\"\\]|\\.){0,998})\"|([^\s;\"]{1,998})))?\s{0,80})?(?=;|$)",
    re.ASCII,
)
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_LONE_CR = re.compile(rb"\r(?!\n)")
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class Split:
    """A multipart's body taken apart (RFC 2046 section 5.1.1). `closed`: the closing delimiter was there."""

    preamble: bytes = b""
    children: tuple["Entity", ...] = ()
    epilogue: bytes = b""
    closed: bool = False


@dataclass(frozen=True, repr=False)  # no slots: cached_property keeps what it found in the instance
class Entity:
    """One entity. `raw` is all of it, `head` its header block without the blank line, `body` what follows."""

    raw: bytes
    head: bytes
    body: bytes

    @cached_property
    def _structure(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for name, value in _STRUCTURE.findall(self.head[: limits.HEADER_BLOCK]):
            found.setdefault(name.lower(), []).append(value)
        return found

    @cached_property
    def _content_type(self) -> tuple[str, dict[str, str], str]:
        """Type, parameters, and what is wrong with them."""
        given = self._structure.get(b"content-type", [])
        if not given:
            return "text/plain", {}, ""
        if len(given) > 1:
            return "", {}, "two Content-Type fields"
        return _parse_content_type(given[0])

    @property
    def kind(self) -> str:
        """Media type in lower case; '' when it is malformed."""
        return self._content_type[0]

    @property
    def parameters(self) -> dict[str, str]:
        """Parameters of the media type, names in lower case."""
        return self._content_type[1]

    @cached_property
    def encoding(self) -> str:
        """Content-Transfer-Encoding in lower case; '' when there is none."""
        given = self._structure.get(b"content-transfer-encoding", [])
        return given[0].decode("ascii", "replace").strip().lower() if given else ""

    @cached_property
    def malformed(self) -> str:
        """Why two readers could take this entity differently (P46); '' when they could not."""
        multipart = self.kind.startswith("multipart/")
        rules = (
            (self._content_type[2], bool(self._content_type[2])),
            ("two Content-Transfer-Encoding fields", len(self._structure.get(b"content-transfer-encoding", [])) > 1),
            ("a bare CR in the headers", _LONE_CR.search(self.head) is not None),
            ("a multipart without a plain boundary", multipart and not self.parameters.get("boundary")),
            ("an encoded multipart", multipart and self.encoding not in _PLAIN_ENCODINGS),
        )
        return next((reason for reason, broken in rules if broken), "")

    def claims(self, *kinds: bytes) -> bool:
        """Whether any Content-Type field, however malformed, names one of these types."""
        given = b"\n".join(self._structure.get(b"content-type", [])).lower()
        return any(kind in given for kind in kinds)

    def decoded(self) -> bytes:
        """The body with its transfer encoding undone, as far as it can be."""
        if self.encoding == "base64":
            return words.base64(self.body, [])
        if self.encoding == "quoted-printable":
            return binascii.a2b_qp(self.body)
        return self.body

    def parts(self) -> Split:
        """The parts of a multipart; an empty Split for anything else, or for a malformed one."""
        if self.malformed or not self.kind.startswith("multipart/"):
            return Split()
        return _split(self.body, self.parameters["boundary"].encode("utf-8", "surrogateescape"))


def parse(raw: bytes) -> Entity:
    """Take one entity apart at its first blank line. An entity may have no headers, or no body."""
    if raw.startswith((b"\n", b"\r\n")):
        return Entity(raw, b"", raw[raw.index(b"\n") + 1 :])
    end = _HEAD_END.search(raw)
    if end is None:
        return Entity(raw, raw.removesuffix(b"\r"), b"")
    return Entity(raw, raw[: end.start()].removesuffix(b"\r"), raw[end.end() :])


def fields(head: bytes) -> tuple[tuple[str, str], ...]:
    """Header fields of a block, in order, names in lower case, values decoded; structural ones left out."""
    return tuple(
        (name, words.header(value, []))
        for name, value in headers.split(head).fields
        if not name.startswith("content-") and name != "mime-version"
    )


def _parse_content_type(value: bytes) -> tuple[str, dict[str, str], str]:
    value = value.replace(b"\r", b"").replace(b"\n", b"").rstrip()
    kind = _TYPE.match(value)
    if kind is None:
        return "", {}, "a Content-Type that cannot be read"
    parameters: dict[str, str] = {}
    at, trouble = kind.end(), ""
    while at < len(value):
        parameter = _PARAMETER.match(value, at)
        if parameter is None:
            return "", {}, "a Content-Type parameter that cannot be read"
        name = (parameter[1] or b"").decode("ascii").lower()
        if name in parameters or name.startswith(("boundary*", "protocol*")):
            trouble = "a Content-Type parameter given twice or in pieces"
        if name:  # some programs write words without a value, and a last ';' with nothing after it
            given = re.sub(rb"\\(.)", rb"\1", parameter[2]) if parameter[2] is not None else parameter[3] or b""
            parameters[name] = given.decode("utf-8", "surrogateescape")
        at = parameter.end()
    return b"/".join(kind.groups()).decode("ascii").lower(), parameters, trouble


def _split(body: bytes, boundary: bytes) -> Split:
    """Cut at the delimiter lines. The line ending before a delimiter belongs to it (RFC 2046 section 5.1.1)."""
    preamble, start = body, -1
    children: list[Entity] = []
    for before, after, closing in _delimiters(body, b"--" + boundary):
        if start >= 0:
            children.append(parse(body[start:before]))
        elif closing:
            break
        else:
            preamble = body[:before]
        if closing:
            return Split(preamble, tuple(children), body[after:], closed=True)
        if len(children) == MAX_PARTS:
            return Split(preamble, tuple(children))
        start = after
    if start >= 0:
        children.append(parse(body[start:]))
    return Split(preamble, tuple(children))


def _delimiters(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where the text before a delimiter line ends, where the text after it begins, and whether it closes."""
    at = body.find(delimiter)
    while at >= 0:
        rest = _DELIMITER_END.match(body, at + len(delimiter))
        if rest and (at == 0 or body[at - 1] == 0x0A):
            before = at - 2 if body.endswith(b"\r\n", 0, at) else at - 1
            yield max(0, before), rest.end(), rest[1] is not None
        at = body.find(delimiter, at + len(delimiter))
