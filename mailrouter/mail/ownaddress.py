"""Addresses of ours that prove something: where a participant answers, and where a letter's bounces come back.

`cert+vu123456.TOKEN@…` stands in the Reply-To of a letter, `cert+b42.TOKEN@…` is the envelope sender of letter 42,
`cert+s7.TOKEN@…` is where voucher 7 is confirmed, `cert+q9.TOKEN@…` where an analyst answers the notice of item 9. The
token is an HMAC over the purpose and what the address is for, so that one cannot be made from another. Whoever was
never given the address cannot say it; who was given it may pass it on: it routes, and proves nothing about a sender
alone (DOMAIN.md, standing).

Read without regard to case, since mail systems change it; compared in constant time.
"""

import hmac
import re
from base64 import b32encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from mailrouter.mail.compose import wire_address

SEPARATORS = ("+", "-", "=", "")  # what mail systems call the address delimiter; '': no such addresses
TOKEN_OCTETS = 10  # 80 bits (RFC 2104 section 5), 16 characters of base32
LONGEST_LOCAL = 64  # RFC 5321 section 4.5.3.1.1
MOST_ADDRESSES = 200  # looked at in one mail
MOST_CLAIMS = 8  # kept of one mail

_TAG = re.compile(r"(?:vu(?P<vu>[1-9][0-9]{2,6})|(?P<kind>[bsq])(?P<number>[1-9][0-9]{0,17}))\.(?P<token>[a-z2-7]{16})")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reply address claims: an answer in this case. Proved against the case's participants."""

    vu: int
    token: str

    def holds(self, token: str) -> bool:
        """Whether this is the address with that token of `reply_token`."""
        return hmac.compare_digest(self.token, token)


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a bounce address claims: a report about this letter."""

    letter: int
    token: str

    def proved(self, secret: bytes) -> bool:
        """Whether the letter left with this envelope sender."""
        return hmac.compare_digest(self.token, _token(secret, "bounce", self.letter))


@dataclass(frozen=True, slots=True)
class Vouch:
    """What a voucher's address claims: whoever answers here was given the text we ask about."""

    voucher: int
    token: str

    def proved(self, secret: bytes) -> bool:
        """Whether the letter of this voucher gave the address."""
        return hmac.compare_digest(self.token, _token(secret, "vouch", self.voucher))


@dataclass(frozen=True, slots=True)
class Order:
    """What the address in a notice claims: an analyst's answer about this queue item."""

    item: int
    token: str

    def proved(self, secret: bytes, analyst_id: int) -> bool:
        """Whether this analyst was given the address."""
        return hmac.compare_digest(self.token, _token(secret, "order", self.item, analyst_id))


Claim = Reply | Bounce | Vouch | Order
_KINDS: dict[str, Callable[[int, str], Claim]] = {"b": Bounce, "s": Vouch, "q": Order}


@dataclass(frozen=True, slots=True, repr=False)
class Mint:
    """Makes our addresses. `identity`: the address letters come from."""

    identity: str
    separator: str
    secret: bytes

    def reply(self, vu: int, participant_id: int) -> str:
        """Where this participant answers in this case; '' when there are no such addresses here."""
        return self._address(f"vu{vu}", reply_token(self.secret, vu, participant_id))

    def bounce(self, letter_id: int) -> str:
        """Where the bounces of this letter come back; '' when there are no such addresses here."""
        return self._address(f"b{letter_id}", _token(self.secret, "bounce", letter_id))

    def vouch(self, voucher_id: int) -> str:
        """Where a text is confirmed as a vendor's own; '' when there are no such addresses here."""
        return self._address(f"s{voucher_id}", _token(self.secret, "vouch", voucher_id))

    def order(self, item_id: int, analyst_id: int) -> str:
        """Where this analyst answers a notice about a queue item; '' when there are no such addresses here."""
        return self._address(f"q{item_id}", _token(self.secret, "order", item_id, analyst_id))

    def _address(self, tag: str, token: str) -> str:
        local, _, domain = wire_address(self.identity).rpartition("@")
        extended = f"{local}{self.separator}{tag}.{token}"
        return f"{extended}@{domain}" if self.separator and len(extended) <= LONGEST_LOCAL else ""


def reply_token(secret: bytes, vu: int, participant_id: int) -> str:
    """What the address holds that we gave this participant in this case."""
    return _token(secret, "reply", vu, participant_id)


def _token(secret: bytes, *what: object) -> str:
    """HMAC-SHA-256 (RFC 2104), cut, in lower-case base32 (RFC 4648): digits and letters that survive every gateway."""
    digest = hmac.digest(secret, ":".join(map(str, what)).encode("ascii"), "sha256")
    return b32encode(digest[:TOKEN_OCTETS]).decode("ascii").lower()


def claims(addresses: Iterable[str], ours: tuple[str, ...], separator: str) -> tuple[Claim, ...]:
    """What the addresses of a mail claim, in their order, each once; nothing is proved yet.

    `ours`: the addresses we take mail for, each of which may stand in front of the separator.
    """
    if not separator:
        return ()
    prefixes = _prefixes(ours, separator)
    read = (_claim(address, prefixes) for address in islice(addresses, MOST_ADDRESSES))
    return tuple(dict.fromkeys(claim for claim in read if claim))[:MOST_CLAIMS]


@lru_cache(maxsize=8)
def _prefixes(ours: tuple[str, ...], separator: str) -> tuple[tuple[str, str], ...]:
    """(start of the local part, domain) of each of our addresses."""
    split = (_wire(address).lower().rpartition("@") for address in ours)
    return tuple((local + separator, domain) for local, _, domain in split if local)


def _wire(address: str) -> str:
    try:
        return wire_address(address)
    except ValueError:
        return ""  # we may take mail for it, but no letter can have named it


def _claim(address: str, prefixes: tuple[tuple[str, str], ...]) -> Claim | None:
    if not address.isascii():
        return None  # no letter of another alphabet may turn into one of ours
    local, _, domain = address.lower().rpartition("@")
    for prefix, own_domain in prefixes:
        found = _TAG.fullmatch(local, len(prefix)) if domain == own_domain and local.startswith(prefix) else None
        if found:
            return _claimed(found)
    return None


def _claimed(found: re.Match[str]) -> Claim:
    if found["vu"]:
        return Reply(int(found["vu"]), found["token"])
    return _KINDS[found["kind"]](int(found["number"]), found["token"])
