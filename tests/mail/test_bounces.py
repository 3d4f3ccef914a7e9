"""Delivery reports as mail systems of the world write them, in their languages, and people who write like them.

The texts are our own, in the shape each system is known to use; every one is read with and without a known envelope.
"""
# ruff: noqa: RUF001, E501  (other languages are what is tested; a row of a table is read whole)

from dataclasses import dataclass

import pytest

from mailrouter.mail import automated, parse
from mailrouter.mail.automated import Automated, Kind

OURS = "20260105.1f@cert.example"
RETURNED = f"Received: from cert.example\nMessage-ID: <{OURS}>\nFrom: cert@cert.example\nTo: ann@vendor.example"


@dataclass(frozen=True)
class Told:
    """One report in prose."""

    system: str
    sender: str
    subject: str
    text: str
    kind: Kind = Kind.BOUNCE
    whom: tuple[str, ...] = ("ann@vendor.example",)
    html: bool = False


PROSE = [
    Told("qmail", "MAILER-DAEMON@mx.example", "failure notice",
         "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the "
         "following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
         "<ann@vendor.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
         f"--- Below this line is a copy of the message.\n\nReturn-Path: <cert@cert.example>\n{RETURNED}"),
    Told("exim", "Mail Delivery System <Mailer-Daemon@mx.example>", "Mail delivery failed: returning message to sender",
         "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
         "delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
         "  ann@vendor.example\n    host mx.vendor.example [192.0.2.1]\n    SMTP error from remote mail server after "
         "RCPT TO:<ann@vendor.example>:\n    550 5.1.1 User unknown\n\n"
         f"------ This is a copy of the message, including all the headers. ------\n\n{RETURNED}"),
    Told("exim-delay", "Mail Delivery System <Mailer-Daemon@mx.example>", "Warning: message 1kV9x2-00 delayed 24 hours",
         "A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours "
         "on the queue on mx.example.\n\nThe address to which the message has not yet been delivered is:\n\n"
         "  ann@vendor.example\n\nNo action is required on your part. Delivery attempts will continue for\nsome time.",
         Kind.DELAY),
    Told("sendmail", "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>", "Returned mail: User unknown",
         "The original message was received at Mon, 5 Jan 2026 10:00:00 GMT\nfrom cert.example [192.0.2.9]\n\n"
         "   ----- The following addresses had permanent fatal errors -----\n<ann@vendor.example>\n\n"
         "   ----- Transcript of session follows -----\n... while talking to mx.vendor.example.:\n>>> RCPT To:<ann@"
         f"vendor.example>\n<<< 550 no\n\n   ----- Original message follows -----\n{RETURNED}"),
    Told("sendmail-delay", "MAILER-DAEMON@mx.example", "Warning: could not send message for past 4 hours",
         "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n"
         "    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\n"
         "   ----- The following addresses had transient non-fatal errors -----\n<ann@vendor.example>\n", Kind.DELAY),
    Told("postfix-flattened", "MAILER-DAEMON@mx.example (Mail Delivery System)", "Undelivered Mail Returned to Sender",
         "This is the mail system at host mx.example.\n\nI'm sorry to have to inform you that your message could not\n"
         "be delivered to one or more recipients. It's attached below.\n\n<ann@vendor.example>: host mx.vendor.example"
         "[192.0.2.1] said: 550 5.1.1\n    <ann@vendor.example>: Recipient address rejected"),
    Told("zoho", "mailer-daemon@mail.zoho.example", "Undelivered Mail Returned to Sender",
         "This message was created automatically by mail delivery software.\n A message that you sent could not be "
         "delivered to one or more of its recipients. This is a permanent error.\n\n"
         "ann@vendor.example Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 <ann@vendor.example>: no such\n"),
    Told("yahoo", "MAILER-DAEMON@yahoo.example", "Failure Notice",
         "Sorry, we were unable to deliver your message to the following address.\n\n<ann@vendor.example>:\n"
         "Remote host said: 550 no such user [RCPT_TO]\n\n--- Below this line is a copy of the message.\n\n" + RETURNED),
    Told("web.de", "Mail Delivery System <mailer-daemon@gmx.example>", "Mail delivery failed: returning message to sender",
         "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
         "delivered to\none or more of its recipients. This is a permanent error.\n\nThe following address failed:\n\n"
         "\"ann@vendor.example\":\nSMTP error from remote server after RCPT command:\nhost: mx.vendor.example\nno\n"),
    Told("t-online", "Mail Delivery Subsystem <postmaster@t-online.example>", "Message delivery failure: Schwachstelle",
         "Ihre E-Mail konnte nicht zugestellt werden.\n\nEmpfaenger: ann@vendor.example\nGrund: 550 unbekannt\n"),
    Told("barracuda", "Barracuda Spam Firewall <postmaster@mx.example>",
         "**Message you sent blocked by our bulk email filter**",
         "Your message to: ann@vendor.example\nwas blocked by our Spam Firewall. The email you sent with the following "
         "subject has NOT BEEN DELIVERED:\n\nSubject: [VU#123456] vulnerability report\n"),
    Told("mimecast", "Mail Delivery System <postmaster@mx.example>", "[Postmaster] Email Delivery Failure",
         "Your message could not be delivered.\n\nThe message you sent to ann@vendor.example was rejected: policy\n"),
    Told("proofpoint", "Mail Delivery Subsystem <MAILER-DAEMON@pps.example>", "Returned mail: see transcript for details",
         "The original message was received at Mon, 5 Jan 2026\n\n   ----- The following addresses had permanent fatal "
         "errors -----\n<ann@vendor.example>\n    (reason: 550 5.7.0 Local Policy Violation)\n"),
    Told("hmail", "mailer-daemon@mx.example", "Message undeliverable: report",
         "Your message did not reach some or all of the intended recipients.\n\n   Sent: Mon, 5 Jan 2026\n   Subject: "
         "report\n\nThe following recipient(s) could not be reached:\n\nann@vendor.example\n   Error Type: SMTP\n"),
    Told("exchange-2003", "System Administrator <postmaster@vendor.example>", "Undeliverable: report",
         "Your message\n\n  To:      ann@vendor.example\n  Subject: report\n  Sent:    Mon, 5 Jan 2026\n\ndid not reach "
         "the following recipient(s):\n\nann@vendor.example on Mon, 5 Jan 2026 10:00:00 +0000\n    The recipient name "
         "is not recognized\n"),
    Told("domino", "Postmaster@vendor.example", "DELIVERY FAILURE: User ann not listed in Domino Directory",
         "Your message\n\n  Subject: report\n\nwas not delivered to:\n\n  ann@vendor.example\n\nbecause:\n\n  User ann "
         "(ann@vendor.example) not listed in Domino Directory\n"),
    Told("domino-de", "Postmaster@vendor.example", "ZUSTELLUNGSFEHLER: Benutzer ann nicht im Domino-Verzeichnis",
         "Ihre Nachricht\n\n  Betreff: report\n\nkonnte nicht zugestellt werden an:\n\n  ann@vendor.example\n"),
    Told("james", "postmaster@mx.example", "[BOUNCE]",
         "Hi. This is the James mail server at mx.example.\nI'm afraid I wasn't able to deliver your message to the "
         "following addresses.\nThis is a permanent error; I've given up.\n\nFailed recipient(s):\nann@vendor.example\n"),
    Told("ses", "MAILER-DAEMON@email.example", "Delivery Status Notification (Failure)",
         "An error occurred while trying to deliver the mail to the following recipients:\nann@vendor.example"),
    Told("google-group", "Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
         "Delivery Status Notification (Failure)",
         "Hello cert@cert.example,\n\nWe're writing to let you know that the group you tried to contact (psirt) may not "
         "exist, or you may not have permission to post messages to the group.\n\nThe message to psirt@vendor.example "
         "was not delivered.", whom=("psirt@vendor.example",)),
    Told("mdaemon", "MDaemon at mx.example <MDaemon@mx.example>", "Permanent Delivery Failure",
         "The attached message had PERMANENT fatal delivery errors!\n\nAfter one or more unsuccessful delivery attempts "
         "it has been removed from\nthe mail queue.\n\nFailed address: ann@vendor.example\n\n--- Session Transcript ---\n"
         " Mon 2026-01-05: Connection to mx.vendor.example\n"),
    Told("communigate", "MAILER-DAEMON@mx.example", "Undeliverable mail: report",
         "Failed to deliver to 'ann@vendor.example'\nmailbox is full\n"),
    Told("opensmtpd", "Mailer Daemon <MAILER-DAEMON@mx.example>", "Delivery status notification: error",
         "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while "
         "attempting to deliver a message for\n    the following list of recipients:\n\nann@vendor.example: 550 no\n\n"
         "    Below is a copy of the original message:\n\n" + RETURNED),
    Told("haraka", "MAILER-DAEMON@mx.example", "failed to deliver message",
         "The message you sent could not be delivered to:\n\n<ann@vendor.example>: unknown\n"),
    Told("mailmarshal", "postmaster@mx.example", "Undeliverable Mail: 'report'",
         "Your message:\n   From:    cert@cert.example\n   Subject: report\n\nCould not be delivered because of\n\n"
         "550 5.1.1 User unknown\n\nThe following recipients were affected:\n  ann@vendor.example\n"),
    Told("mcafee", "Mail Delivery Service <postmaster@mx.example>", "Delivery Status",
         "Your mail could not be delivered.\n\n--- The following addresses had delivery problems ---\n\n"
         "<ann@vendor.example>   (User unknown)\n"),
    Told("kddi", "Postmaster@carrier.example", "Mail System Error - Returned Mail",
         "The user(s) account is temporarily over quota.\n\n<ann@vendor.example>:\n\n"),
    Told("imail", "Postmaster <postmaster@mx.example>", "Undeliverable Mail",
         "Unknown user: ann@vendor.example\n\nOriginal message follows.\n\n" + RETURNED),
    Told("exchange-de", "Microsoft Outlook <postmaster@vendor.example>", "Unzustellbar: [VU#123456] Bericht",
         "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\nann@vendor.example\n"
         "Die eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n"),
    Told("exchange-fr", "Microsoft Outlook <postmaster@vendor.example>", "Non remis : [VU#123456] rapport",
         "Échec de la remise à ces destinataires ou groupes :\n\nann@vendor.example\nL'adresse de messagerie que vous "
         "avez entrée est introuvable.\n"),
    Told("exchange-es", "Microsoft Outlook <postmaster@vendor.example>", "No se puede entregar: [VU#123456] informe",
         "No se pudo entregar el mensaje a estos destinatarios o grupos:\n\nann@vendor.example\nNo se encontró la "
         "dirección de correo electrónico.\n"),
    Told("exchange-it", "Microsoft Outlook <postmaster@vendor.example>", "Non recapitabile: [VU#123456]",
         "Recapito non riuscito per i seguenti destinatari o gruppi:\n\nann@vendor.example\n"),
    Told("exchange-pt", "Microsoft Outlook <postmaster@vendor.example>", "Não é possível entregar: [VU#123456]",
         "Falha na entrega a estes destinatários ou grupos:\n\nann@vendor.example\n"),
    Told("exchange-nl", "Microsoft Outlook <postmaster@vendor.example>", "Onbestelbaar: [VU#123456]",
         "Bezorging bij deze geadresseerden of groepen is mislukt:\n\nann@vendor.example\n"),
    Told("exchange-pl", "Microsoft Outlook <postmaster@vendor.example>", "Niedostarczone: [VU#123456]",
         "Nie można dostarczyć wiadomości do następujących adresatów lub grup:\n\nann@vendor.example\n"),
    Told("exchange-sv", "Microsoft Outlook <postmaster@vendor.example>", "Kan inte levereras: [VU#123456]",
         "Det gick inte att leverera meddelandet till följande mottagare eller grupper:\n\nann@vendor.example\n"),
    Told("exchange-ru", "Microsoft Outlook <postmaster@vendor.example>", "Не удается доставить: [VU#123456]",
         "Сбой доставки следующим получателям или группам:\n\nann@vendor.example\n"),
    Told("exchange-ja", "Microsoft Outlook <postmaster@vendor.example>", "配信不能: [VU#123456] 報告",
         "次の受信者またはグループへの配信に失敗しました:\n\nann@vendor.example\n"),
    Told("exchange-zh", "Microsoft Outlook <postmaster@vendor.example>", "无法送达: [VU#123456] 报告",
         "无法将邮件传递给以下收件人或组:\n\nann@vendor.example\n"),
    Told("exchange-ko", "Microsoft Outlook <postmaster@vendor.example>", "배달되지 않음: [VU#123456]",
         "다음 받는 사람 또는 그룹으로 배달하지 못했습니다.\n\nann@vendor.example\n"),
    Told("exchange-delay", "Microsoft Outlook <postmaster@vendor.example>", "Delivery delayed: [VU#123456]",
         "Delivery is delayed to these recipients or groups:\n\nann@vendor.example\n\nThis message hasn't been delivered "
         "yet. Delivery will continue to be attempted.\n", Kind.DELAY),
    Told("exchange-delay-de", "Microsoft Outlook <postmaster@vendor.example>", "Zustellung verzögert: [VU#123456]",
         "Verzögerte Zustellung an folgende Empfänger oder Gruppen:\n\nann@vendor.example\n\nDiese Nachricht wurde noch "
         "nicht zugestellt. Es wird weiterhin versucht, sie zuzustellen.\n", Kind.DELAY),
    Told("netease", "Postmaster@163.example", "系统退信/Systems bounce",
         "<html><body><p>抱歉，您的邮件被退回来了。</p><p>收件人邮件地址： ann@vendor.example</p><p>退信原因：用户不存在</p>"
         "</body></html>", html=True),
    Told("qq", "PostMaster@qq.example", "来自mx.qq.example的退信",
         "抱歉，您的邮件被退回来了。\n无法发送到 ann@vendor.example\n退信原因：收件人邮件地址不存在。\n"),
    Told("yandex", "mailer-daemon@yandex.example", "Недоставленное сообщение",
         "Это письмо отправлено почтовым сервером.\n\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не "
         "может быть отправлено одному или нескольким адресатам.\n\n<ann@vendor.example>: host mx said: 550 no\n"),
    Told("japan", "MAILER-DAEMON@isp.example", "Mail could not be delivered",
         "メールが送信できませんでした。宛先のメールアドレスをご確認ください。\n\n<ann@vendor.example>\n"),
    Told("null-title", "Mail Administrator <Postmaster@isp.example>", "Mail System Error - Returned Mail",
         "This Message was undeliverable due to the following reason:\n\nEach of the following recipients was rejected "
         "by a remote mail server.\n\n    Recipient: <ann@vendor.example>\n    Reason:    no\n"),
    Told("o365-noreply", "Mail Delivery Subsystem <noreply@gateway.example>", "Delivery has failed: report",
         "Delivery to the following recipient failed permanently:\n\n     ann@vendor.example\n"),
]  # fmt: skip


def read(told: Told, sender: str | None) -> Automated:
    kind = "html" if told.html else "plain"
    head = (
        f"From: {told.sender}\nTo: cert@cert.example\nSubject: {told.subject}\nContent-Type: text/{kind}; charset=utf-8"
    )
    return automated.classify(parse.mail(f"{head}\n\n{told.text}".replace("\n", "\r\n").encode()), sender)


@pytest.mark.parametrize("sender", ["", None], ids=["null", "unknown"])
@pytest.mark.parametrize("told", PROSE, ids=lambda told: told.system)
def test_reports_in_prose(told, sender):
    found = read(told, sender)
    assert found.kind is told.kind
    assert tuple(found.failed_recipients + found.delayed_recipients) == told.whom
    assert found.must_not_autoreply
    assert found.bounced_message_id == (OURS if OURS in told.text else None)


STATUS = (
    "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
    "Final-Recipient: rfc822; ann@vendor.example\nAction: failed\nStatus: 5.1.1"
)


def report(
    *parts: str, kind: str = 'multipart/report; report-type="delivery-status"', said: str = "It failed."
) -> Automated:
    head = f"From: Mail Delivery System <MAILER-DAEMON@mx.example>\nTo: cert@cert.example\nSubject: Returned mail\nContent-Type: {kind}; boundary=b"
    body = "\n--b\n".join(["", f"\n{said}", *parts]) + "\n--b--\n"
    return automated.classify(parse.mail(f"{head}\n{body}".replace("\n", "\r\n").encode()), "")


@pytest.mark.parametrize(
    "returned",
    [
        f"Content-Type: message/rfc822\n\n{RETURNED}\n\ntext",
        f"Content-Type: text/rfc822-headers\n\n{RETURNED}",
        f"Content-Type: message/partial\n\n{RETURNED}",
        f"Content-Type: message/rfc822; charset=x\nContent-Transfer-Encoding: quoted-printable\n\n{RETURNED}\n\ntext",
        f"Content-Type: text/plain; name=original.txt\n\n{RETURNED}",
        f"{RETURNED}\nContent-Type: text/plain\n\nthe mail itself as a part",
    ],
)
def test_what_came_back_is_found_in_whatever_form(returned):
    found = report(STATUS, returned)
    assert (found.kind, found.failed_recipients, found.bounced_message_id) == (
        Kind.BOUNCE,
        ("ann@vendor.example",),
        OURS,
    )
    assert report(returned, kind="multipart/mixed", said="It failed:\n\nann@vendor.example").bounced_message_id == OURS


def test_a_report_within_the_report_of_a_gateway():
    inner = (
        "Content-Type: message/rfc822\n\nFrom: MAILER-DAEMON@inner.example\nMessage-ID: <the.report@inner.example>\n"
        f"Content-Type: multipart/report; boundary=i\n\n--i\n\nIt failed.\n--i\n{STATUS}\n--i\n"
        f"Content-Type: message/rfc822\n\n{RETURNED}\n\ntext\n--i--"
    )
    found = report(inner, kind="multipart/mixed", said="----- The following addresses had permanent errors -----")
    assert (found.kind, found.failed_recipients) == (Kind.BOUNCE, ("ann@vendor.example",))
    assert found.returned_ids == ("the.report@inner.example", OURS)


def test_our_own_forwarded_report_comes_back():
    """What is inside the mail that came back is not what the outer report says."""
    outer = report(STATUS, f"Content-Type: message/rfc822\n\n{RETURNED}\nContent-Type: multipart/report; boundary=i\n\n"
                   "--i\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; bob@x.example\nAction: failed\n--i--")  # fmt: skip
    assert (outer.failed_recipients, outer.bounced_message_id) == (("ann@vendor.example",), OURS)


@pytest.mark.row("S12")
@pytest.mark.parametrize(
    "piece", ["\n", "error ", "not ", "<a@b.example>:\n", "warning: ", "x" * 70 + "\n", "不", "--- "]
)
def test_a_hostile_report_costs_no_more_than_its_length(piece):
    # A quadratic reader would need hours for a million characters.
    subject = (piece * (8000 // len(piece))).replace("\n", " ")
    raw = f"From: MAILER-DAEMON@mx.example\nSubject: {subject}\n\n{piece * (1_000_000 // len(piece))}".encode()
    found = automated.classify(parse.mail(raw), "")
    assert found.must_not_autoreply
    assert len(found.failed_recipients) <= 200
