"""Who publishes: what documents say of us, taken from the settings' `[identity]` by whoever writes them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Publisher:
    """We, as the readers of a published document are told."""

    name: str
    url: str  # where the site stands, https, without a slash at the end; '' none
    policy_url: str  # our disclosure policy; '' none
    address: str  # where mail about a case goes
    phone: str  # '' none
    fingerprint: str  # of the key that signs what we publish
    key_url: str  # where readers get that key; '' none

    @property
    def domain(self) -> str:
        """Of our mail address."""
        return self.address.rpartition("@")[2]

    @property
    def called(self) -> str:
        """A name in any case: documents must not be without."""
        return self.name.strip() or self.domain
