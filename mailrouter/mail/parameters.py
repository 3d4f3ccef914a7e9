"""The parameters of Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2231), as real mail writes them.

Linear in the value; never raises. A file name is data: what comes out of `file_name` is safe to show and to offer for
saving, and is never used as a path by us (testbook S31).
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from mailrouter.mail import limits, words
from mailrouter.mail.words import Defects

_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')
_EXTENDED = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*)?")
_TYPE = re.compile(r"\s*([!#$&^_.+A-Za-z0-9-]{1,127})/([!#$&^_.+A-Za-z0-9-]{1,127})\s*(?:;|$|\s)")
_UNSAFE = re.compile(
    '[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\ud800-\udfff"<>|*?]'
)


def content_type(value: bytes | None, default: str, defects: Defects) -> tuple[str, dict[str, str]]:
    """`type/subtype` in lower case, and the parameters. An unreadable value is text/plain (RFC 2045 section 5.2)."""
    if value is None:
        return default, {}
    text = words.undeclared(value, [])
    match = _TYPE.match(text)
    if match is None:
        defects.append("bad-content-type")
        return "text/plain", parse(text, defects)
    return f"{match[1]}/{match[2]}".lower(), parse(text, defects)


def parse(text: str, defects: Defects) -> dict[str, str]:
    """Names in lower case to decoded values. An RFC 2231 value wins over a plain one of the same name."""
    plain: dict[str, str] = {}
    extended: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, raw in _PARAMETER.findall(text):
        value = _ESCAPE.sub(r"\1", raw[1:].removesuffix('"')) if raw.startswith('"') else raw.strip()
        match = _EXTENDED.fullmatch(name.lower())
        if match and (match[2] or match[3]):
            extended.setdefault(match[1], {}).setdefault(int(match[2] or 0), (bool(match[3]), value))
        elif name.lower() in plain:
            defects.append("repeated-parameter")
        else:
            plain[name.lower()] = value
    decoded = {name: _plain(value, defects) for name, value in plain.items()}
    return decoded | {name: _join(sections, defects) for name, sections in extended.items()}


def _plain(value: str, defects: Defects) -> str:
    """Encoded words have no business in a parameter (RFC 2047 section 5) and are in very many."""
    return words.header(value.encode("utf-8", "replace"), defects) if "=?" in value else value


def _join(sections: Mapping[int, tuple[bool, str]], defects: Defects) -> str:
    charset, raw = None, b""
    for position, (encoded, value) in sorted(sections.items()):
        if encoded and position == min(sections) and value.count("'") >= 2:
            charset, _language, value = value.split("'", 2)
        raw += unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace")
    return words.line(_plain(words.decode(raw, charset or None, defects), defects))


def file_name(disposition: Mapping[str, str], type_parameters: Mapping[str, str], defects: Defects) -> str | None:
    """The name to show for an attachment: no path, no control or bidi character, at most 255 characters; or None."""
    given = disposition.get("filename") or type_parameters.get("name") or ""
    bare = re.split(r"[/\\]", _UNSAFE.sub("", words.line(given)))[-1].strip(" .") if given.strip(" ./\\") else ""
    if len(bare) > limits.FILENAME:
        defects.append(limits.CUT + "filename")
        bare = bare[: limits.FILENAME]
    return bare or None
