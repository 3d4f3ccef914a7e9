"""Where a Web Key Directory keeps the key of an address (draft-koch-openpgp-webkey-service, sections 3.1 and 4.5).

Both layouts, so that a site without the name `openpgpkey.DOMAIN` is served too; `policy` must be there, and may be
empty.
"""

from hashlib import sha1

from mailrouter.mail.compose import wire_address

_LETTERS = "ybndrfg8ejkmcpqxot1uwisza345h769"  # z-base-32 (RFC 6189 section 5.1.6)
_ROOT = ".well-known/openpgpkey"
ARMORED = "openpgp-key.asc"  # beside the directory, for people


def local_hash(local: str) -> str:
    """The name of an address's file: SHA-1 of the local part with A-Z in lower case, in 32 characters."""
    lower = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in local)
    # Which hash is the draft's word; it hides nothing and proves nothing.
    number = int.from_bytes(sha1(lower.encode("utf-8"), usedforsecurity=False).digest(), "big")
    return "".join(_LETTERS[number >> shift & 31] for shift in range(155, -1, -5))


def files(keys: dict[str, bytes]) -> dict[str, bytes]:
    """Path below the site's root -> content, for binary keys by address. ValueError for what is no address."""
    content: dict[str, bytes] = {f"{_ROOT}/policy": b""}
    for address, key in keys.items():
        local, _, domain = wire_address(address).rpartition("@")
        name, advanced = local_hash(local), f"{_ROOT}/{domain.lower()}"
        content |= {f"{_ROOT}/hu/{name}": key, f"{advanced}/hu/{name}": key, f"{advanced}/policy": b""}
    return content
