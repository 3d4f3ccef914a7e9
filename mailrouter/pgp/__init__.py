"""GnuPG: open what came in, seal what goes out; fails closed. The only room that runs gpg or knows python-gnupg."""

from mailrouter.pgp.engine import MICALG, Pgp
from mailrouter.pgp.imports import KeyInfo
from mailrouter.pgp.keyring import PublicKey

__all__ = ["MICALG", "KeyInfo", "Pgp", "PublicKey"]
