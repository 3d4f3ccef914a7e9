"""Keys as they were: each form once, for ever."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from mailrouter.store import certificates, contacts
from mailrouter.store.engine import Database

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FINGERPRINT = "A" * 40


def test_each_form_is_kept_once_whatever_becomes_of_the_key(database: Database) -> None:
    with database.write() as tx:
        who = contacts.add(tx, "Acme").id
        for days, data in enumerate((b"first", b"second", b"first")):
            row = {
                "organisation_id": who, "fingerprint": FINGERPRINT, "data": data, "can_encrypt": True,
                "pinned_at": NOW + timedelta(days=days),
            }  # fmt: skip
            contacts.pin(tx, row, [FINGERPRINT])
        contacts.retire(tx, who, FINGERPRINT, NOW)
    with database.read() as tx:
        kept = certificates.of_key(tx, FINGERPRINT)
        assert [(one.data, one.kept_at) for one in kept] == [(b"first", NOW), (b"second", NOW + timedelta(days=1))]
        assert certificates.get(tx, sha256(b"second").hexdigest()) == kept[1]
        assert certificates.get(tx, "") is None
