"""Every table, once. Migrations must give exactly this schema on both databases (tests/store/test_migrations.py).

Rules: instants are UTC; what may hold anything at all (raw mail, envelopes) is bytes or ASCII JSON, so that no NUL or
surrogate ever reaches a text column; do-once is a UNIQUE key.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite keeps it as text that sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts only INTEGER PRIMARY KEY up by itself


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, **more: Any) -> Column[int]:
    return Column(name, Id, ForeignKey(f"{target}.id"), **more)


def _text(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text(f"'{default}'"))


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _time(name: str, **more: Any) -> Column[datetime]:
    return Column(name, Instant, **more)


# ---- the doors -------------------------------------------------------------------------------------------------

mails = Table(  # written once at the door, never changed: 250 rests on this row
    "mails",
    metadata,
    _id(),
    Column("dedupe", LargeBinary, nullable=False, unique=True),  # SHA-256 of recipients and raw bytes
    _text("node"),
    _text("door"),
    _time("received_at", nullable=False),
    _text("envelope"),  # ASCII JSON {"from": ..., "to": [...]}
    Column("size", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),
)

inbox = Table(  # what is accepted and not yet received: a row here is a mail somebody must still work on
    "inbox",
    metadata,
    Column("mail_id", Id, ForeignKey("mails.id"), primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    _count("tries"),
    _text("node"),
    _text("start_id"),
    _time("leased_until"),
    _time("not_before"),
    _text("trouble"),  # the class of the last failure
)

tallies = Table(  # each door's own count, kept in the commit that stores the mail; what the books are checked against
    "tallies",
    metadata,
    Column("node", Text, primary_key=True),
    Column("door", Text, primary_key=True),
    _count("accepted"),
)

# ---- who ---------------------------------------------------------------------------------------------------------

analysts = Table(
    "analysts",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("address"),
    Column("login", Text, unique=True),
    _text("queues"),  # comma-separated, besides their own
    _text("fingerprint"),
    Column("key", LargeBinary),
    _time("away_until"),
    _ref("cover_id", "analysts"),
    _time("told_at"),  # last arrival letter
)

organisations = Table(
    "organisations",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),  # casefolded
    _text("kind", "organisation"),  # organisation | person
    _flag("cna"),
    _text("telephone"),  # the number we would call to hear whether something is theirs
)

contacts = Table(
    "contacts",
    metadata,
    _id(),
    _ref("organisation_id", "organisations", nullable=False, index=True),
    Column("address", Text, nullable=False, unique=True),  # casefolded; one address is one organisation's
    _count("rank"),  # letters go to the lowest deliverable
    _flag("undeliverable"),
)

domains = Table(
    "domains",
    metadata,
    _id(),
    _ref("organisation_id", "organisations", nullable=False, index=True),
    Column("domain", Text, nullable=False, unique=True),
)

pinned_keys = Table(
    "pinned_keys",
    metadata,
    _id(),
    _ref("organisation_id", "organisations", nullable=False, index=True),
    Column("fingerprint", Text, nullable=False, unique=True),  # one key is one organisation's
    Column("data", LargeBinary, nullable=False),
    _text("user_id"),
    _flag("can_encrypt"),
    _time("expires_at"),
    _time("pinned_at", nullable=False),
    _text("pinned_by"),
    _text("channel"),  # the second channel over which the fingerprint was compared
    _time("retired_at"),
    _text("retired_why"),
    _time("revoked_at"),  # since when we know that the key itself says so; `data` then holds the revocation
)

candidate_keys = Table(  # what mails brought along: shown to a person, used for nothing
    "candidate_keys",
    metadata,
    _id(),
    _ref("organisation_id", "organisations", nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    _text("user_id"),
    _time("expires_at"),
    _text("source"),  # autocrypt | attached | inline
    _ref("message_id", "messages"),  # in which it came last
    _flag("proved"),  # a mail that brought it was well signed by a key pinned to them: a rollover
    _time("seen_at", nullable=False),
    _time("decided_at"),
    _text("decided_by"),
    _text("outcome"),  # pinned | refused
    UniqueConstraint("organisation_id", "fingerprint"),
)

certificates = Table(  # every form of a key that was ever believed, by the SHA-256 of its bytes: a key as it was
    "certificates",
    metadata,
    Column("digest", Text, primary_key=True),  # 64 hex digits
    Column("fingerprint", Text, nullable=False, index=True),
    Column("data", LargeBinary, nullable=False),
    _time("kept_at", nullable=False),
)

vain_offers = Table(  # a fixed number of places: what mails brought that gpg was asked about in vain
    "vain_offers",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    _time("looked_at", nullable=False),
)

key_names = Table(  # every fingerprint and key id a signature may name its issuer by
    "key_names",
    metadata,
    Column("key_id", Id, ForeignKey("pinned_keys.id"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True, index=True),
)

# ---- cases --------------------------------------------------------------------------------------------------------

cases = Table(
    "cases",
    metadata,
    _id(),
    Column("vu", Integer, nullable=False, unique=True),
    _text("title"),
    _text("state", "open"),  # open | published | closed | merged
    _ref("analyst_id", "analysts", index=True),
    _flag("urgent"),
    _time("opened_at", nullable=False),
    _time("closed_at"),
    _text("embargo", "NONE"),
    _time("embargo_ends_at"),
    _time("first_contact_at"),
    _time("planned_at"),
    _text("policy"),  # ASCII JSON: this case's own numbers, over those of the settings
    Column("merged_into_id", Id),  # the case that goes on in its place (no foreign key: it is the same table)
    _time("public_at"),  # since when the vulnerability, an exploit, attacks are known to all (CS: P, X, A)
    _time("exploit_public_at"),
    _time("attacks_at"),
    _time("published_at"),  # when the first revision of its note was decided: "Date First Published"
    _time("not_published_at"),  # when it was decided that there will be no note
    _text("not_published_by"),
    _text("not_published_why"),
    _text("publish_ssvc"),  # ASCII JSON: what an analyst answered to SSVC Coordinator Publish
    _text("share_ordered_by"),  # who ordered that the newest draft is shown when its date comes; '' nobody
)

vulnerabilities = Table(  # VU#123456.1, .2, ...: what a case is about, one by one
    "vulnerabilities",
    metadata,
    _id(),
    _ref("case_id", "cases", nullable=False),
    Column("number", Integer, nullable=False),
    _text("title"),
    _text("cve"),  # CVE-2026-12345; '' none yet
    _time("added_at", nullable=False),
    _text("cve_source"),  # vendor | reserved | typed in; '' none yet
    Column("cve_vendor_id", Id),  # the CNA whose record it is, or is to be (no foreign key: added later)
    _text("cve_why"),  # why we decided, when a vendor that is a CNA did not
    _time("record_at"),  # since when the CVE record is known to be public
    _text("cwe"),  # CWE-79
    _text("cvss"),  # vector, any of 2.0, 3.0, 3.1, 4.0
    _text("text"),  # one paragraph for the CVE record; '' : the note's overview
    UniqueConstraint("case_id", "number"),
)

descriptions = Table(  # the vendor-facing report, as each version was written
    "descriptions",
    metadata,
    _id(),
    _ref("case_id", "cases", nullable=False),
    Column("version", Integer, nullable=False),
    _text("text"),
    _text("files"),  # ASCII JSON [{"name":..., "type":..., "digest":...}]
    _time("made_at", nullable=False),
    _text("made_by"),
    UniqueConstraint("case_id", "version"),
)

files = Table(  # what letters and descriptions carry, once however many carry it
    "files",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256, 64 hex digits
    Column("data", LargeBinary, nullable=False),
    _time("kept_at", nullable=False),
)

reports = Table(  # vulnerability reports (VRF): what somebody wants us to coordinate, before and after we decide
    "reports",
    metadata,
    _id(),
    Column("vrf", Text, nullable=False, unique=True),  # VRF#26-11-BCDFG
    _text("rm", "START"),  # START: a number was given, nobody calls it a report; RECEIVED, VALID, INVALID, ...
    _text("source", "mail"),  # mail | file
    _text("title"),
    _text("address"),  # where its reporter is written to; '' none is known
    Column("message_id", Id),  # the mail that brought it (no foreign key: it would close a circle)
    _ref("case_id", "cases", index=True),  # once accepted, or once its mail was filed there
    _text("text"),  # of one that was typed in
    _text("public"),  # yes | no | '' (nobody said): is it public, is it exploited
    _text("exploited"),
    _flag("credit"),  # may the note name them: asked apart from the next, and both are no until they say yes
    _flag("share_name"),  # may vendors learn who reported
    Column("sketch", LargeBinary),  # of its words, to find others like it
    _text("cvss"),  # the vector as it was scored
    Column("score", Integer),  # tenths: 75 is 7.5
    _text("ssvc"),  # ASCII JSON: the answers to Coordinator Triage
    _ref("analyst_id", "analysts"),
    _time("received_at", nullable=False),
    _time("decided_at"),
    _text("decided_by"),
    _text("reason"),  # of a decline, by its name
    _text("why"),  # an analyst's own words on it; never leaves
    Column("duplicate_of_id", Id),
    Index("ix_reports_received_at", "received_at", "id"),
    Index(  # a mail brings one report
        "uq_reports_message_id",
        "message_id",
        unique=True,
        sqlite_where=text("message_id IS NOT NULL"),
        postgresql_where=text("message_id IS NOT NULL"),
    ),
)

participants = Table(
    "participants",
    metadata,
    _id(),
    _ref("case_id", "cases", nullable=False),
    _ref("organisation_id", "organisations", nullable=False, index=True),
    _text("roles", "vendor"),  # space-separated, the first one leads: vendor | downstream | reporter | coordinator
    _text("progress", "not contacted"),
    _text("consent", "NO_EMBARGO"),
    _text("waiting_on", "nobody"),
    Column("since", Text),  # what began this turn: letter:ID or message:ID
    _time("wait_until"),
    _time("last_heard_at"),
    _time("last_automatic_at"),
    _count("follow_ups_sent"),
    _text("their_ref"),
    _flag("anonymous"),
    _time("clear_text_at"),  # since when confidential letters to them may leave unencrypted
    _text("clear_text_by"),  # who says so: an analyst, or message:ID
    _text("pseudonym"),  # how the others of this case are told of them: 'Vendor KTRV'
    _text("rm", "START"),  # report management of the Vultron protocol
    _time("aware_at"),  # CS, each set once: the vendor knows, has a fix, has deployed it
    _time("fix_ready_at"),
    _time("fix_deployed_at"),
    _time("fix_expected_at"),  # the date they gave us
    _time("first_contact_at"),  # when the first letter to them left: "Notified"
    _count("described"),  # the version of the description they were sent; 0: none
    _count("promised"),  # the version they are to have: above `described`, it follows once they can read it
    _flag("credit"),  # the note may name them
    _time("left_at"),  # they take part no more: nothing is sent, their mail is a stranger's
    _text("left_why"),
    UniqueConstraint("case_id", "organisation_id"),
)

vendor_statuses = Table(  # per vendor and vulnerability, once it is other than Unknown
    "vendor_statuses",
    metadata,
    Column("participant_id", Id, ForeignKey("participants.id"), primary_key=True, autoincrement=False),
    Column("vulnerability_id", Id, ForeignKey("vulnerabilities.id"), primary_key=True, autoincrement=False),
    _text("status", "Unknown"),  # Affected | Not Affected | Unknown
    _text("why"),  # why not
    _text("fixed_in"),
    _time("updated_at", nullable=False),
    _text("updated_by"),  # an analyst, or message:ID
)

messages = Table(  # one mail or letter as people see it
    "messages",
    metadata,
    _id(),
    _text("direction", "in"),
    Column("mail_id", Id, ForeignKey("mails.id"), unique=True),
    Column("letter_id", Id, ForeignKey("letters.id"), unique=True),
    _ref("case_id", "cases"),
    _ref("participant_id", "participants", index=True),
    _text("place"),  # filed | review | triage | bounces | quarantine; '' for ours
    _text("kind", "person"),  # person | bounce | delay | auto-reply | list | ... | call
    _text("sender"),
    _text("recipient"),
    _text("subject"),
    Column("message_id", Text, index=True),
    _time("received_at", nullable=False),
    _text("standing", "stranger"),
    _text("assurance", "unsigned"),
    _text("flags"),  # space-separated
    _text("verdict", "none"),
    _text("covers", "none"),
    _text("fingerprint"),
    _text("signature_id"),
    _time("signed_at"),
    _text("reason"),  # why a signature is not good
    _text("certificate"),  # digest of the key that proved it, as it was then
    _text("gpg"),  # the version that said so
    _text("ciphertext"),  # SHA-256 of what was decrypted in it, to know it again
    _flag("encrypted"),
    _text("decrypted", "none"),
    _text("why"),  # why it lies where it lies
    Column("claimed_vu", Integer),
    Column("suggested_vu", Integer),
    _text("vouched_by"),
    _text("defects"),
    _text("note"),  # a conversation's text (direction call)
    _ref("about_letter_id", "letters"),  # the letter of ours that this report is about
    _text("about_evidence"),  # how we know: token (our own bounce address) | message-id (what came back); '' unknown
    _text("signed_digest"),  # SHA-256 of what is well signed in it, to know the signing again in any form
    Column("report_id", Id),  # the report it belongs to (no foreign key: see reports.message_id)
    Index("ix_messages_case_id_id", "case_id", "id"),
    Index("ix_messages_place_id", "place", "id"),
    Index(
        "ix_messages_report_id",
        "report_id",
        sqlite_where=text("report_id IS NOT NULL"),
        postgresql_where=text("report_id IS NOT NULL"),
    ),
    Index(
        "ix_messages_about_letter_id",
        "about_letter_id",
        sqlite_where=text("about_letter_id IS NOT NULL"),
        postgresql_where=text("about_letter_id IS NOT NULL"),
    ),
    Index(
        "ix_messages_ciphertext",
        "ciphertext",
        sqlite_where=text("ciphertext <> ''"),
        postgresql_where=text("ciphertext <> ''"),
    ),
    Index(
        "ix_messages_signature_id",
        "signature_id",
        sqlite_where=text("signature_id <> ''"),
        postgresql_where=text("signature_id <> ''"),
    ),
    Index(
        "ix_messages_signed_digest",
        "signed_digest",
        sqlite_where=text("signed_digest <> ''"),
        postgresql_where=text("signed_digest <> ''"),
    ),
)

queue_items = Table(
    "queue_items",
    metadata,
    _id(),
    _text("kind", "mail"),  # mail | notice
    _text("queue"),  # triage | review | bounces | quarantine | analyst:ID | operator
    _ref("message_id", "messages", index=True),
    _ref("case_id", "cases", index=True),
    _ref("participant_id", "participants", index=True),
    _text("why"),
    Column("once", Text, unique=True),  # a notice that must be raised once only
    _time("created_at", nullable=False),
    _time("done_at"),
    _text("done_by"),
    Column("report_id", Id),  # the report it is about, mail or notice
    Index(
        "ix_queue_items_open",
        "queue",
        "id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
)

tellings = Table(  # which reader has been written to about which item
    "tellings",
    metadata,
    Column("item_id", Id, ForeignKey("queue_items.id"), primary_key=True, autoincrement=False),
    Column("analyst_id", Id, ForeignKey("analysts.id"), primary_key=True, autoincrement=False),
    _time("told_at", nullable=False),
)

statements = Table(
    "statements",
    metadata,
    _id(),
    _ref("case_id", "cases", nullable=False),
    _ref("participant_id", "participants", nullable=False, index=True),
    _ref("message_id", "messages", nullable=False, unique=True),
    _text("state", "held"),  # verified | vouched | held | superseded | withdrawn
    _text("reason"),
    _flag("bound"),
    _time("received_at", nullable=False),
    _time("signed_at"),
    _text("fingerprint"),
    _text("signature_id"),
    _text("sha256"),  # of verbatim
    Column("verbatim", LargeBinary, nullable=False),
    _text("form", "none"),  # mime | cleartext | message | none
    Column("signed_bytes", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    _time("approved_at"),
    _text("approved_by"),
    Index("ix_statements_case_id_id", "case_id", "id"),
)

vouchers = Table(  # how a text without a signature became a statement that stands: whom we asked, who confirmed
    "vouchers",
    metadata,
    _id(),
    _ref("statement_id", "statements", nullable=False, index=True),
    _ref("participant_id", "participants", nullable=False),  # to whom it was put, in which case
    _text("how"),  # mail | telephone
    _text("sha256"),  # of exactly the text that was put to them
    _time("asked_at", nullable=False),
    _text("asked_by"),
    _ref("letter_id", "letters"),  # mail: the letter that returned the text
    _text("telephone"),  # telephone: the number that was called
    _text("why"),  # telephone: why that number, when it is not the one on file
    _text("spoke_with"),
    _ref("message_id", "messages"),  # mail: the answer that confirmed it
    _text("agreed_by"),  # telephone: the second analyst
    _time("done_at"),
)

orders = Table(  # an analyst's order by mail: a row until it is done, then the proof that it was
    "orders",
    metadata,
    Column("message_id", Id, ForeignKey("messages.id"), primary_key=True, autoincrement=False),
    _ref("analyst_id", "analysts", nullable=False),
    _ref("item_id", "queue_items", nullable=False),
    _time("received_at", nullable=False),
    _time("done_at"),
    _count("tries"),
    _time("not_before"),
    Index(
        "ix_orders_open",
        "message_id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
)

proposals = Table(  # what a mail says and an analyst may take as said with one command
    "proposals",
    metadata,
    _id(),
    _ref("case_id", "cases", nullable=False, index=True),
    _ref("participant_id", "participants", nullable=False, index=True),
    _ref("message_id", "messages", nullable=False),
    _text("what"),  # affected | why-not | fixed-in | fix-expected | we-need | their-ref | ...
    _text("value"),
    _count("vulnerability"),  # .1, .2, ...; 0: the case as a whole
    _time("made_at", nullable=False),
    _time("decided_at"),
    _text("decided_by"),  # an analyst; 'mailrouter' when it applied by itself
    _text("outcome"),  # taken | refused | overtaken; '' open
    UniqueConstraint("message_id", "participant_id", "what", "vulnerability"),  # a mail says each thing once
)

relays = Table(  # what was passed on of one participant's mail to another
    "relays",
    metadata,
    _id(),
    _ref("message_id", "messages", nullable=False, index=True),
    _ref("participant_id", "participants", nullable=False),  # who is to have it
    _ref("letter_id", "letters"),
    _text("files"),  # ASCII JSON: names and digests as they came and as they leave
    _text("consent"),  # how the sender agreed
    _time("made_at", nullable=False),
    _text("made_by"),
)

# ---- embargo ---------------------------------------------------------------------------------------------------------

terms = Table(  # each date that was proposed for publication; the newest agreed one is the embargo's
    "terms",
    metadata,
    _id(),
    _ref("case_id", "cases", nullable=False),
    Column("number", Integer, nullable=False),  # 1, 2, ... in the case
    _time("ends_at", nullable=False),
    _text("zone", "UTC"),  # in which it was given, and is said
    _ref("participant_id", "participants"),  # who asked for it; NULL: we did
    _ref("message_id", "messages"),  # the mail that asked
    _time("proposed_at", nullable=False),
    _text("proposed_by"),
    _text("why"),
    _text("state", "proposed"),  # proposed | agreed | refused | lapsed | replaced
    _time("decided_at"),
    _text("decided_by"),
    _text("decided_why"),
    UniqueConstraint("case_id", "number"),
)

consents = Table(  # what each participant answered to each of them; silence is no row but `invited`
    "consents",
    metadata,
    Column("terms_id", Id, ForeignKey("terms.id"), primary_key=True, autoincrement=False),
    Column("participant_id", Id, ForeignKey("participants.id"), primary_key=True, autoincrement=False),
    _text("answer", "invited"),  # invited | accepted | declined
    _time("at", nullable=False),
    _text("by"),  # message:ID or an analyst who recorded it
)

# ---- the note --------------------------------------------------------------------------------------------------------

revisions = Table(  # the note, each draft of each revision as it was written: text, and the facts of that moment
    "revisions",
    metadata,
    _id(),
    _ref("case_id", "cases", nullable=False),
    Column("number", Integer, nullable=False),  # the document's revision: 1, 2, ...
    Column("draft", Integer, nullable=False),  # 1, 2, ... of that revision
    _text("text"),  # Markdown with the template's sections
    _text("content"),  # canonical ASCII JSON of the whole note, see case/note.py
    _text("sha256"),  # of `content`: what is approved is this
    _time("made_at", nullable=False),
    _text("made_by"),
    _text("written_by"),  # who wrote the text that it has
    _text("why"),  # what changed, as the published history says it
    _text("cause"),  # statement:ID, message:ID, ...: what proposed it; '' an analyst did
    _time("decided_at"),  # its publication was decided: this instant is its date
    _text("decided_by"),
    _text("emergency"),  # why it was published before it was approved; '' it was not
    _time("released_at"),  # readers have it
    UniqueConstraint("case_id", "number", "draft"),
    Index(
        "uq_revisions_decided",
        "case_id",
        "number",
        unique=True,
        sqlite_where=text("decided_at IS NOT NULL"),
        postgresql_where=text("decided_at IS NOT NULL"),
    ),
    Index(
        "ix_revisions_released",
        "released_at",
        sqlite_where=text("decided_at IS NOT NULL"),
        postgresql_where=text("decided_at IS NOT NULL"),
    ),
)

approvals = Table(
    "approvals",
    metadata,
    Column("revision_id", Id, ForeignKey("revisions.id"), primary_key=True, autoincrement=False),
    Column("analyst_id", Id, ForeignKey("analysts.id"), primary_key=True, autoincrement=False),
    _time("at", nullable=False),
    _text("sha256"),  # of the content they saw
)

overrides = Table(  # a condition of the gate that was not met, and who published despite it
    "overrides",
    metadata,
    Column("revision_id", Id, ForeignKey("revisions.id"), primary_key=True, autoincrement=False),
    Column("condition", Text, primary_key=True),
    _text("why"),
    _text("by"),
    _time("at", nullable=False),
)

shown_drafts = Table(  # which draft a participant was sent, and what came of it
    "shown_drafts",
    metadata,
    Column("revision_id", Id, ForeignKey("revisions.id"), primary_key=True, autoincrement=False),
    Column("participant_id", Id, ForeignKey("participants.id"), primary_key=True, autoincrement=False),
    _ref("letter_id", "letters"),
    _time("shown_at", nullable=False),
    _time("acknowledged_at"),
    _text("acknowledged_by"),  # message:ID or an analyst who recorded it
    _ref("comment_id", "messages"),  # the mail with their comments
    Index("ix_shown_drafts_participant_id", "participant_id"),
)

addenda = Table(  # what the note says of a vendor besides its statement: ours, kept apart from theirs
    "addenda",
    metadata,
    Column("participant_id", Id, ForeignKey("participants.id"), primary_key=True, autoincrement=False),
    _text("text"),
    _text("links"),  # https addresses, one a line
    _time("updated_at", nullable=False),
    _text("updated_by"),
)

# ---- CVE -------------------------------------------------------------------------------------------------------------

cve_orders = Table(  # what we want of the CVE service: recorded before it is asked, so that it is asked once
    "cve_orders",
    metadata,
    _id(),
    _ref("vulnerability_id", "vulnerabilities", nullable=False),
    _text("what"),  # reserve | record | reject | look
    _text("cve"),  # '' : still to be reserved
    _text("record"),  # record: the CNA container, canonical ASCII JSON
    _text("state", "wanted"),  # wanted | done | given up
    _time("wanted_at", nullable=False),
    _text("wanted_by"),
    _text("why"),
    _count("tries"),
    _time("tried_at"),  # committed before the service is asked: whoever finds it looks there first
    _time("not_before"),
    _time("done_at"),
    _text("trouble"),  # what the service said last: a code, never a text of it
    Index(
        "uq_cve_orders_wanted",
        "vulnerability_id",
        "what",
        unique=True,
        sqlite_where=text("state = 'wanted'"),
        postgresql_where=text("state = 'wanted'"),
    ),
)

cve_ids = Table(  # every CVE ID the service gave us, used or not
    "cve_ids",
    metadata,
    Column("cve", Text, primary_key=True),
    _ref("order_id", "cve_orders"),  # which asked for it
    _ref("vulnerability_id", "vulnerabilities"),  # NULL: unused
    _text("state", "reserved"),  # reserved | published | rejected
    _time("reserved_at", nullable=False),
    _time("changed_at"),
)

# ---- letters and clocks ---------------------------------------------------------------------------------------------

letters = Table(  # the outbox; bytes, Message-ID and Date are fixed before the first try
    "letters",
    metadata,
    _id(),
    _ref("case_id", "cases", index=True),
    _ref("participant_id", "participants", index=True),
    _ref("analyst_id", "analysts"),
    _text("name"),
    Column("step", Text, unique=True),  # case, participant, letter, since, rung: the same step is one letter
    _text("recipient"),
    _text("subject"),
    _text("body"),
    _text("attachments"),  # ASCII JSON [{"name":..., "type":..., "digest":...}], see files
    _text("in_reply_to"),
    _text("reference_ids"),
    _text("message_id"),
    _time("made_at", nullable=False),
    _flag("automatic"),
    _flag("confidential"),
    _flag("only_encrypted"),  # passed on, or repeats what came encrypted: consent to clear text is no leave for it
    _text("signer"),  # fingerprint of the key of ours that must sign it; '' : the one that signs when it is sealed
    _flag("asks"),
    Column("about_item_id", Id),  # of a notice to an analyst: the queue item (no foreign key: it would close a circle)
    _text("state", "queued"),  # queued | sent | held | failed | withdrawn
    _text("why"),
    _flag("signed"),
    _flag("encrypted"),
    Column("sealed", LargeBinary),
    Column("reverse_path", Text),  # the envelope sender, fixed with the bytes; '' is the null sender
    _count("attempts"),
    _time("next_attempt_at"),
    _time("sent_at"),
    _text("node"),
    _text("start_id"),
    _time("leased_until"),
    _text("reply"),  # the relay's last codes
    Column("report_id", Id),  # of a letter to a reporter, before there is a case
    _text("despite"),  # 'ANALYST: reason' when it may leave though the leak check found something
    Index(
        "ix_letters_due",
        "next_attempt_at",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "ix_letters_acknowledged",
        "made_at",
        sqlite_where=text("name = 'acknowledgement'"),
        postgresql_where=text("name = 'acknowledgement'"),
    ),
    Index(
        "ix_letters_told",
        "made_at",
        sqlite_where=text("name IN ('receipt', 'statement-held')"),
        postgresql_where=text("name IN ('receipt', 'statement-held')"),
    ),
)

deadlines = Table(
    "deadlines",
    metadata,
    _id(),
    _ref("case_id", "cases"),
    _ref("participant_id", "participants", index=True),
    _ref("report_id", "reports"),
    _text("kind"),  # see case/model.py, DeadlineKind
    _text("since"),
    _count("rung"),
    _time("due_at", nullable=False),
    _time("done_at"),
    _text("outcome"),
    UniqueConstraint("case_id", "participant_id", "kind", "since", "rung"),
    Index(  # a NULL equals no other: what is no participant's needs a key of its own to be made once
        "uq_deadlines_of_case",
        "case_id",
        "kind",
        "since",
        "rung",
        unique=True,
        sqlite_where=text("participant_id IS NULL AND case_id IS NOT NULL"),
        postgresql_where=text("participant_id IS NULL AND case_id IS NOT NULL"),
    ),
    Index(
        "uq_deadlines_of_report",
        "report_id",
        "kind",
        "since",
        "rung",
        unique=True,
        sqlite_where=text("report_id IS NOT NULL"),
        postgresql_where=text("report_id IS NOT NULL"),
    ),
    Index(
        "ix_deadlines_open", "due_at", sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL")
    ),
)

# ---- journal ---------------------------------------------------------------------------------------------------------

chains = Table(
    "chains",
    metadata,
    Column("chain", Text, primary_key=True),  # case:ID, report:ID or node:NAME
    _count("length"),
    Column("head", LargeBinary, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    _id(),
    _text("chain"),
    Column("seq", Integer, nullable=False),
    _time("at", nullable=False),
    _text("kind"),
    _text("actor"),
    _text("data"),  # canonical ASCII JSON: ids, kinds, hashes, times, an analyst's own reason
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("chain", "seq"),
)

# ---- the machine room ----------------------------------------------------------------------------------------------

nodes = Table(
    "nodes",
    metadata,
    Column("name", Text, primary_key=True),
    _text("start_id"),
    _time("started_at"),
    _time("beat_at"),
    _text("doors"),  # the doors that listen
)

mailboxes = Table(  # what each node's reader of a mailbox has done there; `taken` is written in the commit that stores
    "mailboxes",
    metadata,
    Column("node", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _count("taken"),  # messages fetched and stored, those that were stored before included
    Column("done_before", Integer),  # how many were marked or in done_folder when we first looked
    _count("passed_over"),  # messages that are not taken: too large, or impossible to fetch
    Column("uidvalidity", BigInteger, nullable=False, server_default=text("0")),
    Column("last_uid", BigInteger, nullable=False, server_default=text("0")),  # all up to it are taken or left
    _time("read_at"),  # when all was well last; NULL: this node does not read it
    _text("trouble"),  # what is wrong since
)

switches = Table("switches", metadata, Column("name", Text, primary_key=True), _text("value"))

secrets = Table(  # made once, shared by all nodes; never shown, never logged
    "secrets", metadata, Column("name", Text, primary_key=True), Column("value", LargeBinary, nullable=False)
)
