"""The character set of bytes whose sender named none, by the library chardet; for showing only.

With its tables it takes 28 MB, so the daemon's workers never ask: only who shows a mail to a person (`parse.mail`).

Asked where the bytes are of another script than Latin: accented letters of Western languages stand alone between plain
ones, and a guess from a few of them is wrong more often than the usual Windows-1252.
"""

import re

_SAMPLE = 4096  # bytes
_OTHER_SCRIPT = re.compile(rb"[\x80-\xff]{4}")


def charset(raw: bytes) -> str | None:
    """A name to look up in our own list; None when nothing can be said."""
    if not _OTHER_SCRIPT.search(raw, 0, _SAMPLE):
        return None
    import chardet

    return chardet.detect(raw[:_SAMPLE])["encoding"]
