"""Who made a patch is taken out of it, and nothing of what it changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import patches

MAILED = """\
From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: Jane Roe <jane@vendor.example>
Date: Mon, 2 Mar 2026 09:00:00 +0100
Subject: [PATCH] Check the length
To: list@vendor.example,
 other@vendor.example

The length was not checked.

Signed-off-by: Jane Roe <jane@vendor.example>
Co-authored-by: Jim Doe <jim@vendor.example>
---
 a.c | 2 +-

diff --git a/a.c b/a.c
--- a/a.c\t2026-03-02 09:00:00 +0100
+++ b/a.c\t2026-03-02 09:00:01 +0100
@@ -1,3 +1,3 @@
-From: here
+From: there
 Date: kept
"""
BARE = """\
Subject: [PATCH] Check the length

The length was not checked.

---
 a.c | 2 +-

diff --git a/a.c b/a.c
--- a/a.c
+++ b/a.c
@@ -1,3 +1,3 @@
-From: here
+From: there
 Date: kept
"""


def test_a_mailed_patch_loses_who_and_when() -> None:
    assert patches.stripped(MAILED) == BARE
    assert patches.stripped(MAILED + "-- \n2.40\n\n" + MAILED) == BARE + "-- \n2.40\n\n" + BARE


def test_so_does_what_git_show_prints() -> None:
    head = "commit 0123456789ab\nAuthor: Jane <j@v.example>\nDate:   Mon Mar 2\n\n    Check\n\n    Reviewed-by: Jim\n\n"
    assert (
        patches.stripped(f"{head}diff --git a b\n+x\n") == "commit 0123456789ab\n\n    Check\n\n\ndiff --git a b\n+x\n"
    )


@pytest.mark.parametrize("text", ["", "From: Jane\nDate: today\n", "print('x')\n", "--- \n"])
def test_what_is_no_patch_stays_as_it_is(text: str) -> None:
    assert patches.stripped(text) == text


@given(
    st.lists(
        st.text(st.characters(codec="ascii", exclude_characters="\r\n\x0b\x0c\x1c\x1d\x1e"), max_size=20), max_size=8
    )
)
def test_no_changed_line_is_lost(lines: list[str]) -> None:
    changes = "".join(f"{sign}{line}\n" for sign, line in zip("+- +-+ -", lines, strict=False))
    assert changes in patches.stripped(f"From: Jane\n\ndiff --git a/x b/x\n@@ -1 +1 @@\n{changes}")
