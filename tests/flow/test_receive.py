"""What becomes of one mail: where it lies, what it changed, who is told."""

from tests.flow.world import PSIRT, VENDOR, VU, World


def test_an_answer_is_filed_with_its_case_and_turns_the_turn(world: World) -> None:
    world.vendor_case()
    assert world.turn() == "them"
    got = world.fed(world.mail(PSIRT))
    assert (got.place, got.standing, got.assurance, got.kind) == ("filed", "claimed", "unsigned", "person")
    assert world.turn() == "us"
    assert [shown.item.why for shown in world.queue("alice")] == ["answer"]
    assert (world.books().accepted, world.books().filed) == (1, 1)


def test_a_signed_statement_stands(world: World) -> None:
    world.vendor_case(key=True)
    got = world.fed(world.signed(f"VU#{VU}\nWe are not affected.\n", f"VU#{VU} statement"))
    assert (got.place, got.standing, got.assurance) == ("filed", "signed", "verified")
    assert [(s.state, s.bound, s.vendor) for s in world.statements()] == [("verified", True, VENDOR)]
    assert world.turn() == "nobody"
