"""The addresses of SMTP's own dialogue: what MAIL FROM and RCPT TO may say, and which recipients are ours.

Promises: nothing passes that could mean two things to two programs (control characters, spaces outside quotes, half
UTF-8), and nobody is a recipient who is not configured: there is no relaying, however an address is dressed up.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailrouter.faults import Refused

MAX_MAILBOX = 254  # RFC 5321 4.5.3.1.3: a path has 256 octets, two of them its brackets

_ATOM = r"[^\s\x00-\x20\x7f-\xa0<>()\[\]\\,;:@\"]+"  # dots anywhere: some providers have addresses that end in one
_QUOTED = r"\"(?:[^\x00-\x1f\x7f\"\\]|\\[\x20-\x7e])*\""
_DOMAIN = rf"(?:{_ATOM}|\[[\x21-\x5a\x5e-\x7e]+\])"
_ROUTE = rf"@{_DOMAIN}(?:,@{_DOMAIN})*:"
_MAILBOX = rf"(?:{_ATOM}|{_QUOTED})(?:@{_DOMAIN})?"
_PATH = re.compile(rf" *<(?P<route>{_ROUTE})?(?P<mailbox>{_MAILBOX})?>(?: +(?P<rest>[!-~ ]+))?")
_NAME = re.compile(r"[A-Z0-9][A-Z0-9-]*")


@dataclass(frozen=True, slots=True)
class Path:
    """A reverse- or forward-path and what followed it. `mailbox` is '' for `<>`; a source route is only noted."""

    mailbox: str
    routed: bool
    parameters: dict[str, str]


def parse(argument: str) -> Path:
    """Read what stands after `FROM:` or `TO:` (RFC 5321 4.1.2, 4.1.1.11). Raises Refused, which never quotes it."""
    found = _PATH.fullmatch(argument)
    if not found or (found["route"] and not found["mailbox"]):
        raise Refused("malformed path")
    mailbox = found["mailbox"] or ""
    try:
        octets = len(mailbox.encode())
    except UnicodeEncodeError as error:  # bytes that are not UTF-8 arrive as lone surrogates
        raise Refused("malformed path") from error
    if octets > MAX_MAILBOX:
        raise Refused("malformed path")
    return Path(mailbox, bool(found["route"]), _parameters(found["rest"] or ""))


def _parameters(text: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        name = name.upper()
        if not _NAME.fullmatch(name) or name in parameters:
            raise Refused("malformed parameter")
        parameters[name] = value
    return parameters


def _fold(text: str) -> bytes:
    """Lower case in ASCII only: no letter of another alphabet may turn into one of ours."""
    return text.encode().lower()


class Recipients:
    """Who is written to here: the identity addresses, those with something behind the separator, and postmaster."""

    def __init__(self, addresses: Iterable[str], separator: str = "+") -> None:
        self._mailboxes = {_fold(address) for address in addresses}
        parts = [mailbox.rpartition(b"@") for mailbox in self._mailboxes if separator]
        self._extended = {(local + separator.encode(), domain) for local, _, domain in parts}
        domains = {mailbox.rpartition(b"@")[2] for mailbox in self._mailboxes}
        self._exact = {b"postmaster"} | {b"postmaster@" + domain for domain in domains}

    def has(self, path: Path) -> bool:
        """Whether mail for this path is taken. A source route never is (RFC 5321 appendix C lets us)."""
        folded = _fold(path.mailbox)
        local, _, domain = folded.rpartition(b"@")
        named = folded in self._mailboxes or folded in self._exact
        extended = any(domain == own and local.startswith(start) for start, own in self._extended)
        return not path.routed and (named or extended)
