"""Our own addresses with their proofs, made with the secret all nodes share."""

from sqlalchemy import Connection

from mailrouter.mail.ownaddress import Mint
from mailrouter.store import secret
from mailrouter.tools import Tools


def mint(tools: Tools) -> Mint:
    """What makes them. The secret is made, once for all nodes, by whoever needs it first."""
    with tools.db.read() as tx:
        known = secret.known(tx)
    if known is None:
        with tools.db.write() as tx:
            known = secret.made(tx)
    return Mint(tools.settings.identity.address, tools.settings.identity.separator, known)


def minted(tx: Connection, tools: Tools) -> Mint:
    """The same, inside the caller's transaction."""
    return Mint(tools.settings.identity.address, tools.settings.identity.separator, secret.made(tx))
