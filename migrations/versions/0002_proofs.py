"""Proofs: keys as they were, keys that were offered, what was vouched for, and orders by mail.

Revision 0002, after 0001. Tables that may be large get their columns in place: no row is copied, on either database.
"""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from mailrouter import clock

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_columns()
    op.create_table(
        "certificates",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_certificates")),
    )
    with op.batch_alter_table("certificates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certificates_fingerprint"), ["fingerprint"], unique=False)
    _keep_the_keys_there_are()

    op.create_table(
        "candidate_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("proved", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("outcome", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_candidate_keys_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_candidate_keys_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate_keys")),
        sa.UniqueConstraint(
            "organisation_id", "fingerprint", name=op.f("uq_candidate_keys_organisation_id_fingerprint")
        ),
    )
    op.create_table(
        "vain_offers",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_vain_offers")),
    )
    op.create_table(
        "orders",
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("analyst_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["analyst_id"], ["analysts.id"], name=op.f("fk_orders_analyst_id_analysts")),
        sa.ForeignKeyConstraint(["item_id"], ["queue_items.id"], name=op.f("fk_orders_item_id_queue_items")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_orders_message_id_messages")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_orders")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_orders_open",
            ["message_id"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.create_table(
        "vouchers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("statement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("participant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("how", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("sha256", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("letter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("telephone", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("spoke_with", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("agreed_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_vouchers_letter_id_letters")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_vouchers_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_vouchers_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["statement_id"], ["statements.id"], name=op.f("fk_vouchers_statement_id_statements")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchers")),
    )
    with op.batch_alter_table("vouchers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vouchers_statement_id"), ["statement_id"], unique=False)

    _know_signings_again()


def _know_signings_again() -> None:
    """Those of before this revision are known by `signature_id` only: what was signed is not read again here."""
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("signed_digest", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.create_index(
            "ix_messages_signed_digest",
            ["signed_digest"],
            unique=False,
            sqlite_where=sa.text("signed_digest <> ''"),
            postgresql_where=sa.text("signed_digest <> ''"),
        )


def _add_columns() -> None:
    """What the tables of 0001 have besides."""
    _text("organisations", "telephone")

    _text("pinned_keys", "pinned_by", "channel", "retired_why")
    op.add_column("pinned_keys", sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))

    op.add_column("participants", sa.Column("clear_text_at", sa.DateTime(timezone=True), nullable=True))
    _text("participants", "clear_text_by")

    _flag("letters", "only_encrypted")
    _text("letters", "signer")
    about_item = sa.Column("about_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    op.add_column("letters", about_item)
    op.create_index(
        "ix_letters_told",
        "letters",
        ["made_at"],
        unique=False,
        sqlite_where=sa.text("name IN ('receipt', 'statement-held')"),
        postgresql_where=sa.text("name IN ('receipt', 'statement-held')"),
    )

    _text("messages", "certificate", "gpg", "ciphertext")
    op.create_index(
        "ix_messages_ciphertext",
        "messages",
        ["ciphertext"],
        unique=False,
        sqlite_where=sa.text("ciphertext <> ''"),
        postgresql_where=sa.text("ciphertext <> ''"),
    )


def _text(table: str, *names: str) -> None:
    for name in names:
        op.add_column(table, sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))


def _flag(table: str, name: str) -> None:
    op.add_column(table, sa.Column(name, sa.Boolean(), server_default=sa.text("(false)"), nullable=False))


def _keep_the_keys_there_are() -> None:
    """The keys pinned until now may have proved something, in this form as far as we know; the analysts' will."""
    here = op.get_bind()
    _keep_the_analysts(here)
    for key in here.execute(sa.text("SELECT fingerprint, data, pinned_at FROM pinned_keys")):
        row = {"digest": sha256(key.data).hexdigest(), "f": key.fingerprint, "data": key.data, "at": key.pinned_at}
        here.execute(sa.text("INSERT INTO certificates VALUES (:digest, :f, :data, :at)"), row)


def _keep_the_analysts(here: sa.Connection) -> None:
    """From when on they count is not on record: from now. One that is pinned too is kept as that."""
    mine = sa.text("SELECT fingerprint, key FROM analysts WHERE key NOT IN (SELECT data FROM pinned_keys)")
    now = sa.DateTime(timezone=True)
    columns = sa.column("digest"), sa.column("fingerprint"), sa.column("data"), sa.column("kept_at", now)
    keys = {sha256(one.key).hexdigest(): one for one in here.execute(mine)}
    for digest, one in keys.items():
        row = {"digest": digest, "fingerprint": one.fingerprint, "data": one.key, "kept_at": clock.now()}
        here.execute(sa.table("certificates", *columns).insert(), row)


def downgrade() -> None:
    raise RuntimeError("what was proved is not thrown away; restore a backup instead")
