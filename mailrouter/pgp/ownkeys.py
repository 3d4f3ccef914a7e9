"""The keys of one GNUPGHOME whose secret part we hold: which there are, which one signs, in what forms others get them.

Promises: a list is never older than the files it was read from, nor than the expiry of a key in it; what is handed out
is public, and no larger than its purpose needs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from mailrouter import clock
from mailrouter.faults import NotFound, Refused
from mailrouter.pgp import imports, packets
from mailrouter.pgp.imports import KeyInfo
from mailrouter.pgp.keyring import PublicKey, public_keys
from mailrouter.pgp.wrapper import Gnupg

Stamp = tuple[tuple[str, int, int], ...]
_NONE = "there is no key of ours that can sign"
_GET_ONE = "make, import or configure one"
_NEXT = "`mailrouter key rotate` makes the next"
_DEAD_SUBKEYS = "drop-subkey=expired -t || revoked -t"


class OwnKeys:
    """`gpg` gives the wrapper, made when first needed. `fixed`: fingerprint of the key that signs; '' : the newest."""

    def __init__(self, home: Path, gpg: Callable[[], Gnupg], fixed: str = "", archive: Sequence[str] = ()) -> None:
        self._home, self._gpg, self._fixed, self._archive = home, gpg, fixed, archive
        self._listed: tuple[Stamp, tuple[KeyInfo, ...]] | None = None
        self._small: dict[tuple[str, str], tuple[Stamp, bytes]] = {}  # what each letter carries

    def everyone(self) -> tuple[KeyInfo, ...]:
        """Oldest first. gpg is asked again only when the key files have changed, or a key has come to its end."""
        stamp = self._stamp()
        if self._listed is None or self._listed[0] != stamp or _ended(self._listed[1], clock.now()):
            self._listed = stamp, self._list() if stamp else ()
        return self._listed[1]

    def chosen(self, fingerprint: str = "") -> KeyInfo | None:
        """The key that is to sign, or would if it had not expired: then no older one takes its place again."""
        wanted = fingerprint or self._fixed
        ours = [key for key in self.everyone() if wanted in {"", key.fingerprint}]
        able = [key for key in ours if (key.can_sign and key.state == "valid") or key.state == "expired"]
        return able[-1] if able else None

    def signing(self, fingerprint: str = "") -> KeyInfo:
        """The key letters are signed with, or this one. Refused when it is not there, or cannot sign (any more)."""
        key = self.chosen(fingerprint)
        if key is None:
            wanted = fingerprint or self._fixed
            raise Refused(f"{_NONE}: {f'{wanted} is not ours, or cannot' if wanted else _GET_ONE}")
        if key.state != "valid":
            raise Refused(f"{_NONE}: {key.fingerprint} expired on {key.expires:%Y-%m-%d}; {_NEXT}")
        return key

    def archive(self) -> tuple[PublicKey, ...]:
        """To whom each encrypted letter goes beside its recipient: as configured, else the key that signs, if it can.

        Refused when a configured one cannot be had: what we promised to keep readable would not be.
        """
        if self._archive:
            return tuple(self._archived(one) for one in self._archive)
        ours = self.signing()
        return (ours.public,) if ours.can_encrypt else ()

    def _archived(self, place: str) -> PublicKey:
        try:
            data = self._certificate(place) if imports.FINGERPRINT.fullmatch(place) else Path(place).read_bytes()
            [found] = public_keys(data)
        except (OSError, ValueError) as trouble:
            raise Refused(f"identity.archive_key: no public key can be read from {place}") from trouble
        return found

    def _certificate(self, fingerprint: str) -> bytes:
        return self._kept("archive", fingerprint, lambda: self._gpg().exported([fingerprint]))

    # ---- for others ------------------------------------------------------------------------------------------------

    def armored(self, fingerprint: str = "") -> bytes:
        """The public key, armored, with the signatures by other keys of ours: they say that it follows them."""
        return self._gpg().exported([self._ours(fingerprint)], "export-clean", armor=True)

    def for_directory(self, address: str, fingerprint: str = "") -> bytes:
        """The binary key with no other user id than the address's (draft-koch-openpgp-webkey-service, section 3.1)."""
        wanted = self._ours(fingerprint)
        named = self._gpg().exported([wanted], "export-clean", [_only(address), _DEAD_SUBKEYS])
        if not any(packet.tag == packets.USER_ID for packet in packets.packets(named)):
            raise Refused(f"the key {wanted} has no user id with the address {address}: nobody would take it for ours")
        return named

    def autocrypt(self, address: str) -> bytes:
        """The key as a letter's header carries it, minimal; b'' when nobody could encrypt to it (Autocrypt level 1)."""
        key = self.signing()
        if not key.can_encrypt:
            return b""
        return self._kept(address, key.fingerprint, lambda: self._minimal(key.fingerprint, address))

    def _minimal(self, fingerprint: str, address: str) -> bytes:
        small = self._gpg().exported([fingerprint], "export-minimal", [_only(address), _DEAD_SUBKEYS])
        named = any(packet.tag == packets.USER_ID for packet in packets.packets(small))
        return small if named else self._gpg().exported([fingerprint], "export-minimal", [_DEAD_SUBKEYS])

    # ---- within ----------------------------------------------------------------------------------------------------

    def _ours(self, fingerprint: str) -> str:
        wanted = fingerprint or self.signing().fingerprint
        if all(key.fingerprint != wanted for key in self.everyone()):
            raise NotFound("there is no key of ours with this fingerprint")
        return wanted

    def _kept(self, what: str, fingerprint: str, made: Callable[[], bytes]) -> bytes:
        stamp = self._stamp()
        kept = self._small.get((what, fingerprint))
        if kept is None or kept[0] != stamp:
            kept = self._small[what, fingerprint] = stamp, made()
        return kept[1]

    def _list(self) -> tuple[KeyInfo, ...]:
        listed = sorted(self._gpg().list_keys(secret=True), key=lambda key: (int(key["date"]), key["fingerprint"]))
        if not listed:
            return ()
        exported = public_keys(self._gpg().exported([key["fingerprint"] for key in listed]))
        data = {key.fingerprint: key.data for key in exported}
        return tuple(imports.described(key, data[key["fingerprint"]]) for key in listed)

    def _stamp(self) -> Stamp:
        """Changes when gpg changes the keys of this home, in whichever form it keeps them; () for an empty home."""
        found = [self._home / name for name in ("pubring.kbx", "pubring.gpg", "public-keys.d/pubring.db")]
        stats = [(path.name, path.stat()) for path in found if path.is_file()]
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def _ended(keys: Sequence[KeyInfo], now: datetime) -> bool:
    return any(key.state == "valid" and key.expires is not None and key.expires <= now for key in keys)


def _only(address: str) -> str:
    return f"keep-uid=mbox = {address.lower()}"
