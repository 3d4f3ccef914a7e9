"""Who made a patch, taken out of it: git's own lines before the first difference, and nothing of the difference.

Promises: what a patch changes is the same afterwards. Other lines that say who somebody is are not looked for here:
the search for what must not be said (leaks.py) finds them and says where.
"""

import re

# `git format-patch`: a mail's head; `git log -p`, `git show`: the same words otherwise. Trailers as git knows them.
_START = re.compile(r"(?:From [0-9a-f]{7,64} |commit [0-9a-f]{7,64}\b)")
_WHO = re.compile(
    r"(?:From [0-9a-f]{7,64} .*|From:.*|Date:.*|Author:.*|AuthorDate:.*|Commit:.*|CommitDate:.*|Message-I[dD]:.*|To:.*"
    r"|Cc:.*|In-Reply-To:.*|References:.*|\s*[A-Z][A-Za-z-]*-by:.*)"
)
_CHANGE = re.compile(r"(?:diff |--- \S|Index: )")
_HUNK = re.compile(r"@@ ")
_FILE = re.compile(r"((?:---|\+\+\+) [^\t\n]+)\t.*")  # `diff -u` says when each file was written


def stripped(text: str) -> str:
    """The patch without them; a text that is no patch comes back as it was."""
    if not any(_CHANGE.match(line) for line in text.splitlines()):
        return text
    kept: list[str] = []
    head, dropped = True, False  # before the first difference of a patch; whether the line before was dropped
    for line in text.splitlines(keepends=True):
        if _START.match(line):
            head = True
        elif _CHANGE.match(line):
            head = False
        dropped = head and (_WHO.match(line) is not None or (dropped and line[:1] in " \t" and bool(line.strip())))
        if not dropped:
            kept.append(line if head else _FILE.sub(r"\1", line))
    return "".join(kept)
