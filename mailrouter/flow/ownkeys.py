"""Our own keys, as a person orders it: one made, one brought along. The journal keeps fingerprints."""

from mailrouter import faults
from mailrouter.flow.actor import Actor, note
from mailrouter.pgp import KeyInfo
from mailrouter.tools import Tools, key_turn


def make(tools: Tools, actor: Actor, name: str = "", address: str = "", *, another: bool = False) -> KeyInfo:
    """A new key of ours, for `name` and `address` ('': those of our identity). `Illegal` when there is one already.

    With `another` it is made beside the one there is; letters are signed with the newest, or with `identity.key`.
    """
    identity = tools.settings.identity
    with key_turn(tools.settings):
        ours = tools.pgp.own_keys()
        if ours and not another:
            raise faults.Illegal(f"there is a key already, {ours[-1].fingerprint}; --force makes another beside it")
        key = tools.pgp.make_key(name or identity.name, address or identity.address)
    _note(tools, actor, "key.made", key)
    return key


def bring(tools: Tools, actor: Actor, data: bytes) -> KeyInfo:
    """A secret key from a file becomes ours. `Refused` for anything else, and for one that cannot sign."""
    with key_turn(tools.settings):
        key = tools.pgp.import_own(data)
    _note(tools, actor, "key.imported", key)
    return key


def _note(tools: Tools, actor: Actor, kind: str, key: KeyInfo) -> None:
    with tools.db.write() as tx:
        note(tx, tools, actor, kind, fingerprint=key.fingerprint)
