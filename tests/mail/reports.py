"""Delivery reports as mail systems write them (RFC 3464), for tests: about one letter, to one address."""

from email import message_from_bytes


def report(
    to: str, recipient: str, *, action: str = "failed", status: str = "5.1.1", letter: bytes = b"",
    subject: str = "Undelivered Mail Returned to Sender", sender: str = "MAILER-DAEMON@mx.vendor.example",
    fields: str = "Final-Recipient", number: int = 1,
) -> bytes:  # fmt: skip
    """A report to the bounce address `to` about `recipient`; the header of `letter` comes back with it."""
    headers = letter.split(b"\r\n\r\n", 1)[0]
    returned = b"--r\r\nContent-Type: text/rfc822-headers\r\n\r\n" + headers + b"\r\n\r\n" if letter else b""
    text = f"I'm sorry to have to inform you that your message could not be delivered.\r\n\r\n<{recipient}>: no\r\n\r\n"
    head = (
        f"From: Mail Delivery System <{sender}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
        f"Message-ID: <report{number}@mx.vendor.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n'
        f"--r\r\nContent-Type: text/plain\r\n\r\n{text}"
        "--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.vendor.example\r\n\r\n"
        f"{fields}: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
    )
    return head.encode() + returned + b"--r--\r\n"


def message_id(letter: bytes) -> str:
    """Of a letter, without brackets."""
    return str(message_from_bytes(letter)["Message-ID"]).strip("<>")
