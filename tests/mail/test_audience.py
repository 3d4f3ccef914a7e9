"""Who else reads a mail: testbook S29."""

import pytest

from mailrouter.mail import audience, parse

OURS = ["cert+vu123456.abc@cert.example"]


@pytest.mark.row("S29")
@pytest.mark.parametrize(
    ("head", "beyond"),
    [
        ("To: cert@cert.example", False),
        ("To: undisclosed-recipients:;", False),
        ("", False),
        ("To: cert@cert.example, bob@vendor.example", False),
        ("To: cert@cert.example\nCc: psirt@sec.vendor.example, Analyst <ann@cert.example>", False),
        ("To: cert@cert.example\nCc: psirt@other.example", True),
        ("To: psirt@other.example, cert@cert.example", True),
        ("To: cert@cert.example\nCc: friends: a@vendor.example, b@other.example;", True),
        ("To: cert@cert.example\nCc: x@notvendor.example", True),
        ("To: cert@cert.example\nList-Id: <oss.lists.example>", True),
        ("To: cert@cert.example\nList-Post: <mailto:oss@lists.example>", True),
        ("To: cert@cert.example\nList-Post: <mailto:cert+vu123456.abc@cert.example>", False),
    ],
)
def test_others(head, beyond):
    mail = parse.mail(f"From: ann@vendor.example\n{head}\n\ntext".encode())
    assert audience.others(mail, "ann@vendor.example", OURS) is beyond
