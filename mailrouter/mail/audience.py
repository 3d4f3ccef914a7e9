"""Who else reads a mail that came to us: its sender's own people, or others (testbook S29).

A vendor who copies another vendor or a mailing list into an answer has told them; an analyst must see that before the
next letter. Nobody is ever answered because he stands here.
"""

from collections.abc import Iterable

from mailrouter.mail import machines
from mailrouter.mail.parse import Mail


def others(mail: Mail, sender: str, ours: Iterable[str]) -> bool:
    """Whether To, Cc or a mailing list reach beyond the sender's mail domain and ours.

    `sender`: the From address; `ours`: the addresses of ours that it was sent to, of whose domain all are ours.
    """
    own = frozenset(address.lower() for address in ours)
    near = {_domain(address) for address in (sender, *own)} - {""}
    addressed = {_domain(address.address) for address in (*mail.to, *mail.cc)} - {""}
    if any(not _within(domain, near) for domain in addressed):
        return True
    listed = mail.headers.first("list-id") is not None or mail.headers.first("list-post") is not None
    return listed and not machines.our_group(mail, own)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip("[]>. ").lower() if "@" in address else ""


def _within(domain: str, near: Iterable[str]) -> bool:
    """The same domain, or one above or below it: psirt.vendor.example and vendor.example are one house."""
    return any(domain == one or domain.endswith(f".{one}") or one.endswith(f".{domain}") for one in near)
