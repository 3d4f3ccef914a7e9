"""What `inspect` prints for one mail (CONTRACT.md), and the corpus beside the repository read with it."""

import json
from pathlib import Path

import pytest

from mailrouter.mail import parse, reading
from mailrouter.mail.pgpmime import Opened, Verdict

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
KEYS = {
    "raw_sha256", "subject", "from", "to", "cc", "message_id", "in_reply_to", "references", "text", "html",
    "attachments", "defects", "kind", "is_bounce", "is_autoreply", "must_not_autoreply", "dsn_actions",
    "failed_recipients",
    "bounced_message_id", "thread", "pgp", "reply", "reply_quote", "vu",
}  # fmt: skip
PGP_KEYS = {
    "verdict", "covers", "signer", "encrypted", "decryptable", "may_show_verified", "effective_subject",
    "decrypted_text", "must_flag_mixed", "signed_headers",
}  # fmt: skip
FINGERPRINT = "A" * 40
RAW = b"From: Vendor <psirt@vendor.example>\r\nSubject: VU#123456\r\n\r\nHello\r\n\r\n> old\r\n"
INNER = b"Content-Type: text/plain\r\nSubject: VU#654321 inside\r\n\r\nsecret\r\n"


def test_every_key_and_nothing_json_cannot_say():
    found = reading.reading(parse.mail(RAW), Opened())
    assert set(found) == KEYS
    assert set(found["pgp"]) == PGP_KEYS
    assert json.loads(json.dumps(found)) == found


def test_a_plain_mail():
    found = reading.reading(parse.mail(RAW), Opened())
    assert (found["from"], found["vu"], found["kind"]) == (["psirt@vendor.example"], ["VU#123456"], "person")
    assert found["reply"] == {"visible": "Hello", "hidden": "> old"}
    assert found["reply_quote"] == "> Hello"
    assert found["pgp"]["verdict"] == "none"
    assert found["pgp"]["decryptable"] is None


def sealed(**changes: object) -> dict:
    values = {
        "verdict": Verdict.GOOD, "covers": "all", "fingerprint": FINGERPRINT, "encrypted": True, "decrypted": "ok",
        "content": INNER, "content_is_entity": True, "protected_subject": "VU#654321 inside",
        "protected_headers": (("Subject", "VU#654321 inside"), ("Content-Type", "text/plain")),
    }  # fmt: skip
    return reading.reading(parse.mail(RAW), Opened(**{**values, **changes}), ["PSIRT@vendor.example"])


def test_an_encrypted_mail_is_read_inside():
    found = sealed()
    assert (found["text"], found["subject"], found["vu"]) == ("secret", "VU#123456", ["VU#654321"])
    assert found["reply_quote"] == ""  # decrypted text goes into no answer unasked
    assert found["pgp"] == {
        "verdict": "good", "covers": "all", "signer": FINGERPRINT, "encrypted": True, "decryptable": True,
        "may_show_verified": True, "effective_subject": "VU#654321 inside", "decrypted_text": "secret",
        "must_flag_mixed": False, "signed_headers": ["subject"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"covers": "part"}, False),
        ({"verdict": Verdict.BAD}, False),
        ({"verdict": Verdict.NONE, "fingerprint": ""}, False),
        ({}, True),
    ],
)
def test_may_show_verified(changes, shown):
    assert sealed(**changes)["pgp"]["may_show_verified"] is shown


@pytest.mark.row("P51")
def test_a_key_of_somebody_else_verifies_nobody():
    opened = Opened(verdict=Verdict.GOOD, covers="all", fingerprint=FINGERPRINT)
    for head in (b"From: psirt@vendor.example <eve@evil.example>", b'From: "psirt@vendor.example" <eve@evil.example>'):
        found = reading.reading(parse.mail(head + b"\r\n\r\n"), opened, ["psirt@vendor.example"])
        assert found["pgp"]["may_show_verified"] is False


@pytest.mark.parametrize(("decrypted", "decryptable"), [("fail", False), ("partial", True)])
def test_what_was_not_wholly_decrypted_is_not_shown_as_the_mail(decrypted, decryptable):
    found = sealed(decrypted=decrypted, verdict=Verdict.NONE, covers="none")
    assert found["text"].startswith("Hello")
    assert found["reply_quote"] == ""
    assert found["pgp"]["decryptable"] is decryptable
    assert found["pgp"]["decrypted_text"] == ("secret" if decryptable else None)
    assert found["pgp"]["must_flag_mixed"] is (decrypted == "partial")


def test_cleartext_shows_what_gpg_put_out():
    found = sealed(
        encrypted=False, decrypted="none", content="grüße".encode(), content_is_entity=False, charset="utf-8"
    )
    assert found["text"] == "grüße"


def cases() -> list[dict]:
    manifest = CORPUS / "MANIFEST.json"
    return json.loads(manifest.read_text("utf-8"))["cases"] if manifest.exists() else []


def test_the_corpus_is_read_and_no_sender_is_wrong():
    """Crashes, unclean text, lost bytes and wrong senders are failures; the rest of the corpus is a score."""
    messages = [case for case in cases() if case["form"] == "message"]
    if not messages:
        pytest.skip("the mail corpus is not beside the repository: 729 real mails are NOT read")
    for case in messages:
        found = reading.reading(parse.mail((CORPUS / case["file"]).read_bytes()), Opened())
        json.dumps(found, ensure_ascii=False).encode("utf-8")
        assert found["raw_sha256"] == case["sha256"], case["id"]
        expected = case["expect"]
        if "from" in expected:
            assert sorted(map(str.lower, found["from"])) == sorted(map(str.lower, expected["from"])), case["id"]
        for key in ("is_bounce", "must_not_autoreply"):
            if expected.get(key) is not None:
                assert found[key] == expected[key], (case["id"], key)
