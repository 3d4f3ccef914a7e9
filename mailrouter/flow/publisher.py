"""Who publishes, as documents say it: taken from the settings and our own key."""

from mailrouter.case.formats.publisher import Publisher
from mailrouter.tools import Tools


def of(tools: Tools) -> Publisher:
    """We. Asks gpg which key is ours: in a transaction only after `tools.own_key()` was called before it."""
    identity = tools.settings.identity
    return Publisher(
        name=identity.name, url=identity.notes_url.rstrip("/"), policy_url=identity.policy_url,
        address=identity.address, phone=identity.phone, fingerprint=tools.own_key(), key_url=identity.key_url,
    )  # fmt: skip
