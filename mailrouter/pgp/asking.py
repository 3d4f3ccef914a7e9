"""What gpg is asked with, and its answers: status lines, a text, or `TryLater`, when it was no answer to the mail.

gpg says 'no secret key' when its agent is dead, and nothing at all about some packets: which of it is the mail's doing
and which a fault of ours is told apart here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mailrouter.faults import TryLater
from mailrouter.mail.openpgp import Sealed
from mailrouter.pgp import packets, status
from mailrouter.pgp.agent import Agent
from mailrouter.pgp.keyring import Keyrings, PublicKey
from mailrouter.pgp.runner import Ran, Runner

Decrypt = Callable[[bytes, str, bytes | None], Ran]  # of the runner: message, keyring, passphrase


@dataclass(frozen=True, slots=True)
class Asker:
    """What one `Pgp` holds. `own`: our public keys, needed beside the secret ones to decrypt."""

    runner: Runner
    agent: Agent
    keyrings: Keyrings
    own: Callable[[], tuple[PublicKey, ...]]
    passphrase: bytes | None

    def unwrapped(self, seal: Sealed) -> bytes:
        """The signed message within what one mail holds; see `Pgp.unwrapped`."""
        try:
            message = packets.dearmor(seal.data, b"MESSAGE")
            encrypted = packets.is_encrypted(message)
        except packets.Malformed:
            return b""
        if not encrypted:
            return packets.armored(message, b"MESSAGE")
        tries = self.tries(message, (), self.runner.unwrap)
        within = (ran.output for ran, lines in tries if lines is not None and status.unwrapped(lines, ran.code))
        found = next(within, b"")
        return packets.armored(found, b"MESSAGE") if found else b""

    def tries(
        self, message: bytes, keys: Sequence[PublicKey], decrypt: Decrypt
    ) -> Iterator[tuple[Ran, tuple[status.Line, ...] | None]]:
        """What gpg says to each way an encrypted message may be for us, until the caller is content with one.

        Raises TryLater when the caller is not, and it was a fault of ours.
        """
        self.agent.ready()
        own = self.own()
        everyone = self.keyrings.file((*keys, *own))
        ours = {material.fingerprint[-16:] for key in own for material in packets.keys_of(key.data)}
        for variant in packets.for_us(message, ours):
            ran = decrypt(variant, everyone, self.passphrase)
            lines = lines_of(ran)
            yield ran, lines
            # gpg says 'no secret key' as well when it cannot reach the agent: a fault of ours, not of the mail.
            if not self.agent.answers() or status.our_trouble(lines or ()):
                raise TryLater("the gpg agent does not answer, or does not accept our passphrase")


def silent(ran: Ran) -> bool:
    """gpg says nothing of packets it skips, and of what it cannot unpack."""
    return not ran.overflow and ran.status == b""


def lines_of(ran: Ran) -> tuple[status.Line, ...] | None:
    """The status lines; None when they are not what a good answer looks like. TryLater when gpg itself is broken."""
    if ran.overflow:
        return None
    try:
        return status.read(ran.status)
    except status.Surprise:
        return None
    except status.Garbage as trouble:
        raise TryLater("gpg answered with something that is no answer") from trouble
