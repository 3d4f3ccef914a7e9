"""Reports in the forms of single mail systems, as the library flufl.bounce (of Mailman) knows them one by one.

It is asked only about a mail that is a report in prose by other evidence: by itself it takes some people's mail for a
bounce. It sees clean text of bounded length, never the raw mail, so that no parser but ours meets hostile bytes.
Loaded when first asked: most workers never meet such a mail.
"""

import logging
from collections.abc import Collection, Sequence
from email.message import Message

_LONGEST = 16_384  # characters: what a mail system says stands before the mail it returns
_MOST_LINES = 400
_HEADERS = ("from", "to", "subject", "x-failed-recipients")

logging.getLogger("flufl.bounce").propagate = False  # it tells of every detector, and of a fault with the mail's words


def recipients(headers: Sequence[tuple[str, str]], text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who will not get the mail, and who has not got it yet; both empty for a form the library does not know.

    `headers`: lower-case names and values in one line each.
    """
    from flufl.bounce import all_failures

    message = Message()
    for name, value in headers:
        if name in _HEADERS:
            message[name] = value
    message["Content-Type"] = "text/plain"
    message.set_payload("\n".join(text[:_LONGEST].split("\n")[:_MOST_LINES]))
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - its detectors trust their input; a second opinion that fails is none
        return (), ()
    return _sorted(permanent), _sorted(temporary)


def _sorted(found: Collection[bytes]) -> tuple[str, ...]:
    return tuple(sorted(address.decode("ascii", "replace") for address in found))
