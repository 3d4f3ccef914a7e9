"""Who else read an answer is flagged with it (testbook S29); our own mailing group flags nobody as a machine."""

import pytest

from tests.flow.world import OURS, PSIRT, World


@pytest.mark.row("S29")
@pytest.mark.parametrize(
    ("headers", "flagged"),
    [
        ((), False),
        (("Cc: dev@vendor.example, analyst@cert.example",), False),
        (("Cc: psirt@other.example",), True),
        (("List-Id: <oss-security.lists.example>", "In-Reply-To: <x@cert.example>"), True),
    ],
)
def test_an_answer_copied_to_others_is_flagged(world: World, headers: tuple[str, ...], flagged: bool) -> None:
    world.vendor_case()
    arrived = world.fed(world.mail(PSIRT, "Re: VU#123456", "We are affected.\r\n", *headers))
    assert ("copied-to-others" in arrived.flags.split()) is flagged


def test_mail_through_our_own_group_is_peoples_mail(world: World) -> None:
    world.vendor_case()
    group = (f"List-Post: <mailto:{OURS}>", f"List-Id: <{OURS.replace('@', '.')}>", "Precedence: list")
    arrived = world.fed(world.mail(PSIRT, "Re: VU#123456", "We are affected.\r\n", *group))
    assert (arrived.kind, arrived.flags, world.turn()) == ("person", "", "us")
