"""Person or machine: RFC 3834, 3464, 8098 and the reports of older mail systems. Testbook S21."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import automated, bounces, parse
from mailrouter.mail.automated import Automated, Kind


def classified(head: str, body: str = "", sender: str | None = "psirt@vendor.example") -> Automated:
    raw = f"{head}\n\n{body}".replace("\n", "\r\n").encode()
    return automated.classify(parse.mail(raw), sender)


PERSON = "From: psirt@vendor.example\nTo: cert@cert.example\n"


@pytest.mark.row("S21")
@pytest.mark.parametrize(
    ("header", "kind", "quiet"),
    [
        ("Subject: Re: [VU#123456] fixed", Kind.PERSON, False),
        ("Auto-Submitted: no", Kind.PERSON, False),
        ("X-Autoreply: no", Kind.PERSON, False),
        ("X-Auto-Response-Suppress: None", Kind.PERSON, False),
        ("Precedence: first-class", Kind.PERSON, False),
        ("Subject: Re: Automatic reply: [VU#123456]", Kind.PERSON, False),
        ("Subject: The out of office feature has a hole", Kind.PERSON, False),
        ("Subject: Delivery failure in our product, VU#123456", Kind.PERSON, False),
        ("Precedence: bulk", Kind.PERSON, True),
        ("Precedence: junk", Kind.PERSON, True),
        ("X-Auto-Response-Suppress: All", Kind.PERSON, True),
        ("X-Loop: cert@cert.example", Kind.PERSON, True),
        ("Auto-Submitted: auto-replied", Kind.AUTO_REPLY, True),
        ("Auto-Submitted: auto-replied (vacation); x=y", Kind.AUTO_REPLY, True),
        ("X-Autoreply: yes", Kind.AUTO_REPLY, True),
        ("Precedence: auto_reply", Kind.AUTO_REPLY, True),
        ("Subject: Automatic reply: [VU#123456]", Kind.AUTO_REPLY, True),
        ("Subject: Out of Office Re: [VU#123456]", Kind.AUTO_REPLY, True),
        ("Subject: Automatische Antwort: x", Kind.AUTO_REPLY, True),
        ("Subject: Abwesenheitsnotiz: x", Kind.AUTO_REPLY, True),
        ("Subject: =?utf-8?q?R=C3=A9ponse_automatique?= : x", Kind.AUTO_REPLY, True),
        ("Subject: x (Auto Reply)", Kind.AUTO_REPLY, True),
        ("Auto-Submitted: auto-generated", Kind.AUTOMATIC, True),
        ("Auto-Submitted: auto-notified", Kind.AUTOMATIC, True),
        ("Auto-Submitted: auto-generated\nSubject: Automatic reply: x", Kind.AUTO_REPLY, True),
        ("List-Id: <l.vendor.example>", Kind.LIST, True),
        ("List-Unsubscribe: <mailto:x@y.example>", Kind.LIST, True),
        ("Precedence: list", Kind.LIST, True),
        ("TLS-Report-Domain: cert.example", Kind.REPORT, True),
        ("Subject: Report domain: cert.example Submitter: x.example Report-ID: <1>", Kind.REPORT, True),
        ("Subject: Report domain is what we call it", Kind.PERSON, False),
    ],
)
def test_headers_decide(header, kind, quiet):
    found = classified(PERSON + header, "text")
    assert (found.kind, found.must_not_autoreply) == (kind, quiet)
    assert bool(found.reasons) == quiet


@pytest.mark.row("S21")
@pytest.mark.parametrize("sender", ["", "<>"])
def test_the_null_sender_is_never_answered(sender):
    found = classified(PERSON + "Subject: hello", "text", sender)
    assert (found.kind, found.must_not_autoreply, found.reasons) == (Kind.AUTOMATIC, True, ("null sender",))


def test_return_path_counts_when_nobody_named_the_sender():
    assert classified("Return-Path: <>\n" + PERSON, "text", None).kind is Kind.AUTOMATIC
    assert classified("Return-Path: <a@b.example>\n" + PERSON, "text", None).kind is Kind.PERSON
    assert classified("Return-Path: <>\n" + PERSON, "text").kind is Kind.PERSON


def test_mail_from_ourselves_is_not_answered():
    mail = parse.mail(b"From: CERT@cert.example\n\n")
    assert automated.classify(mail, "x@y.example", frozenset({"cert@cert.example"})).reasons == ("from ourselves",)


def dsn(fields: str, text: str = "Your mail.", original: str = "Message-ID: <ours@cert.example>") -> Automated:
    head = (
        "From: MAILER-DAEMON@mx.example\nSubject: Report\nAuto-Submitted: auto-replied\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"'
    )
    body = (
        f"--b\n\n{text}\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{fields}\n"
        f"--b\nContent-Type: text/rfc822-headers\n\n{original}\n--b--\n"
    )
    return classified(head, body, "")


@pytest.mark.parametrize(
    ("fields", "kind", "actions", "failed", "delayed"),
    [
        ("Final-Recipient: rfc822; a@b.example\nAction: failed", "bounce", ["failed"], ["a@b.example"], []),
        ("Action: FAILED\nFinal-Recipient: RFC822;<a@b.example>", "bounce", ["failed"], ["a@b.example"], []),
        ("Final-Recipient: rfc822; a@b.example\nAction: delayed", "delay", ["delayed"], [], ["a@b.example"]),
        ("Final-Recipient: rfc822; a@b.example\nAction: relayed", "dsn-success", ["relayed"], [], []),
        ("Final-Recipient: rfc822; a@b.example\nAction: delivered", "dsn-success", ["delivered"], [], []),
        (
            "Final-Recipient: a@b.example\nAction: failed\n\nFinal-Recipient: rfc822; c@d.example\nAction: delayed",
            "bounce", ["failed", "delayed"], ["a@b.example"], ["c@d.example"],
        ),
        (
            "Original-Recipient: rfc822;we@wrote.example\nFinal-Recipient: rfc822;they@moved.example\nAction: failed",
            "bounce", ["failed"], ["we@wrote.example"], [],
        ),
        (
            "Final-Recipient: rfc822; a@b.example\nAction: failed\n\n\nFinal-Recipient: A@B.example\nAction: failed",
            "bounce", ["failed"], ["a@b.example"], [],
        ),
    ],
)  # fmt: skip
def test_delivery_reports(fields, kind, actions, failed, delayed):
    found = dsn(fields)
    assert (found.kind, list(found.dsn_actions)) == (kind, actions)
    assert (list(found.failed_recipients), list(found.delayed_recipients)) == (failed, delayed)
    assert found.bounced_message_id == "ours@cert.example"
    assert found.must_not_autoreply
    assert found.is_bounce == (kind == "bounce")


def test_a_report_that_names_nobody_is_read_as_prose():
    found = dsn("", "These failed permanently:\n\n  * a@b.example\n")
    assert (found.kind, found.failed_recipients) == (Kind.BOUNCE, ("a@b.example",))


def test_a_forwarded_report_is_a_persons_mail():
    status = "Content-Type: message/delivery-status\n\nAction: failed"
    inner = f"Content-Type: multipart/report; boundary=i\n\n--i\n{status}\n--i--"
    body = f"--b\n\nlook at this\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--"
    assert classified(PERSON + "Content-Type: multipart/mixed; boundary=b", body).kind is Kind.PERSON


def receipt(disposition: str) -> Automated:
    body = (
        "--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; a@b.example\n"
        f"Original-Message-ID: <ours@cert.example>\nDisposition: {disposition}\n--b--"
    )
    head = PERSON + "Content-Type: multipart/report; report-type=disposition-notification; boundary=b"
    return classified(head, body, "")


def test_receipts():
    read = receipt("manual-action/MDN-sent-manually; displayed")
    assert (read.kind, read.bounced_message_id, read.failed_recipients) == (Kind.MDN, "ours@cert.example", ())
    assert receipt("manual-action/MDN-sent-manually; deleted").kind is Kind.MDN
    refused = receipt("automatic-action/MDN-sent-automatically; deleted")
    assert (refused.kind, refused.failed_recipients) == (Kind.BOUNCE, ("a@b.example",))


@pytest.mark.parametrize(
    ("subject", "text", "kind", "recipients"),
    [
        ("Undelivered Mail Returned to Sender", "Not delivered:\n\n<a@b.example>: unknown", "bounce", ["a@b.example"]),
        ("failure notice", "<a@b.example>:\nno mailbox here\n\n<c@d.example>:\nquota exceeded", "bounce",
         ["a@b.example", "c@d.example"]),
        ("Mail delivery failed", "This address failed:\n\n  a@b.example\n    host c@d.example said no", "bounce",
         ["a@b.example"]),
        ("Undeliverable: x", "To a@b.example it failed. Ask postmaster@mx.example.", "bounce", ["a@b.example"]),
        ("Warning: message delayed 24 hours", "not yet been delivered to:\n\n  a@b.example", "delay", ["a@b.example"]),
        ("Delivery Status Notification (Delay)", "Delivery to a@b.example has been delayed", "delay", ["a@b.example"]),
        ("failure notice", "it failed\n<a@b.example>:\nno\n--- Original message follows.\nTo: <z@z.example>:", "bounce",
         ["a@b.example"]),
        ("Unzustellbar: x", "Ihre Mail konnte nicht zugestellt werden:\n a@b.example", "bounce", ["a@b.example"]),
    ],
)  # fmt: skip
def test_reports_in_prose(subject, text, kind, recipients):
    head = f"From: Mail System <MAILER-DAEMON@mx.example>\nTo: cert@cert.example\nSubject: {subject}"
    found = classified(head, text, "")
    assert found.kind == kind
    assert list(found.failed_recipients + found.delayed_recipients) == recipients


def test_the_returned_copy_names_our_mail():
    text = (
        "This failed:\n<a@b.example>\n\n--- Original message ---\n\nReceived: x\nMessage-ID: <ours@cert.example>\nTo: x"
    )
    found = classified("From: MAILER-DAEMON@mx.example\nSubject: failure notice", text, "")
    assert found.bounced_message_id == "ours@cert.example"


def test_without_the_null_sender_a_subject_alone_makes_no_bounce():
    text = "Unknown users can crash it, delivery failed for a@b.example"
    assert classified(PERSON + "Subject: Delivery failure notice", text).kind is Kind.PERSON
    assert classified("From: postmaster@vendor.example\nSubject: Re: VU#123456", text).kind is Kind.PERSON


def test_threads():
    def begin(head: str) -> str | None:
        mail = parse.mail(head.encode() + b"\n\n")
        return automated.thread(mail, automated.classify(mail, "x@y.example"))

    assert begin("References: <1@x> <2@x>\nIn-Reply-To: <2@x>\nMessage-ID: <3@x>") == "1@x"
    assert begin("In-Reply-To: <2@x>\nMessage-ID: <3@x>") == "2@x"
    assert begin("Message-ID: <3@x>") == "3@x"
    assert begin("Subject: x") is None


@given(st.text(max_size=400), st.text(max_size=60), st.sampled_from([None, "", "a@b.example"]))
def test_anything_is_classified(text, subject, sender):
    for head in ("From: MAILER-DAEMON@x.example\n", "Content-Type: multipart/report; boundary=b\n", PERSON):
        mail = parse.mail(f"{head}Subject: {subject}\n\n{text}".encode())
        found = automated.classify(mail, sender)
        assert found.is_bounce == (found.kind == "bounce")
        assert found.must_not_autoreply or found.kind is Kind.PERSON


def test_reports_are_bounded():
    rows = "Final-Recipient: rfc822; a{}@b.example\nAction: failed\n\n"
    found = dsn("".join(rows.format(n) for n in range(5_000)))
    assert len(found.failed_recipients) <= bounces.MOST_RECIPIENTS
