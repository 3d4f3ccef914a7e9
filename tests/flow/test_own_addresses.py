"""Mail that comes to an address we gave to somebody: where it goes, and what that proves of who wrote it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import contacting, coordinate
from mailrouter.flow.filing import file
from mailrouter.mail.ownaddress import Mint
from mailrouter.store import cases, secret
from mailrouter.store.engine import Database
from mailrouter.store.messages import Message
from tests.flow.world import OURS, PSIRT, VENDOR, VU, MakeWorld, World

pytestmark = pytest.mark.row("S20")
COLLEAGUE = "colleague@vendor.example"
OTHER_VU = 222222


def place(message: Message) -> tuple[str, str]:
    return message.place, message.why


def answers_to(world: World, name: str = VENDOR, vu: int = VU) -> str:
    """The address we gave this participant, as its letters name it."""
    participant = world.participant(name, vu)
    [address] = {mail["Reply-To"] for mail in world.sent() if f"VU#{vu}" in mail["Subject"]} & {
        mint(world).reply(vu, participant.id)
    }
    return str(address)


def mint(world: World) -> Mint:
    with world.writing() as tx:
        return Mint(OURS, "+", secret.made(tx))


@pytest.mark.parametrize("change", [str, str.upper, str.title])
def test_the_address_alone_brings_an_answer_home(world: World, change: type[str]) -> None:
    world.vendor_case()
    got = world.fed(world.mail(PSIRT, "no number", to=(change(answers_to(world)),)))
    assert (place(got), got.flags, world.turn()) == (("filed", "answer"), "", "us")


@pytest.mark.parametrize("header", ["To", "Cc"])
def test_the_address_counts_in_the_headers_when_the_envelope_lost_it(world: World, header: str) -> None:
    """A border that rewrites recipients, or a mailbox that is fetched, leaves us only To and Cc."""
    world.vendor_case()
    made = world.mail(PSIRT, "no number", "hi\r\n", f"Cc: CERT <{answers_to(world)}>")
    raw = made.raw if header == "Cc" else made.raw.replace(b"Cc: CERT", b"X: y\r\nTo: CERT", 1)
    assert place(world.fed(world.envelope(raw))) == ("filed", "answer")


def test_a_colleague_in_the_mail_domain_counts_when_writing_to_the_address_we_gave_them(world: World) -> None:
    world.vendor_case()
    got = world.fed(world.mail(COLLEAGUE, "no number", to=(answers_to(world),)))
    assert (got.place, got.standing, world.turn()) == ("filed", "claimed", "us")


def test_the_address_of_one_participant_proves_nothing_of_another(world: World) -> None:
    world.organisation("Bolt", "psirt@bolt.example", domain="bolt.example")
    world.vendor_case()
    coordinate.add_vendor(world.tools, world.alice, VU, "Bolt")
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    world.deliver()
    theirs, ours = answers_to(world, "Bolt"), answers_to(world)
    assert theirs != ours
    got = world.fed(world.mail(COLLEAGUE, "no number", to=(theirs,)))
    assert (got.place, got.case_id, got.standing, got.suggested_vu) == ("review", None, "stranger", VU)
    assert (world.turn(), world.turn("Bolt")) == ("them", "them")
    assert world.fed(world.mail(PSIRT, "no number", to=(theirs,))).place == "filed"  # it is a registered address


def test_a_letter_to_one_participant_is_no_proof_for_another_that_names_it(world: World) -> None:
    world.organisation("Bolt", "psirt@bolt.example", domain="bolt.example")
    world.vendor_case()
    coordinate.add_vendor(world.tools, world.alice, VU, "Bolt")
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    [_, to_bolt] = world.letters("notification")
    got = world.fed(world.mail(COLLEAGUE, "hello", "hi\r\n", f"In-Reply-To: {to_bolt.message_id}"))
    assert (got.place, got.standing) == ("review", "stranger")


def test_a_stranger_who_was_given_the_address_stays_one(world: World) -> None:
    world.vendor_case()
    got = world.fed(world.mail("eve@evil.example", "hello", to=(answers_to(world),)))
    assert (place(got), got.suggested_vu) == (("review", "a stranger names the case"), VU)
    assert world.turn() == "them"


def test_a_forged_address_is_no_hint_and_is_flagged(world: World) -> None:
    world.vendor_case()
    good = answers_to(world)
    local, _, domain = good.partition("@")
    forged = f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}"
    got = world.fed(world.mail(PSIRT, "no number", to=(forged,)))
    assert (place(got), got.flags, got.suggested_vu) == (
        ("triage", f"new report {world.report().vrf}"), "bad-token", None,
    )  # fmt: skip
    named = world.fed(world.mail(PSIRT, to=(forged,)))
    assert (place(named), named.flags) == (("filed", "answer"), "bad-token")


@pytest.mark.parametrize("tag", ["vu999999", "b77", "vu123456"])
def test_an_address_for_what_there_is_not_is_no_hint(world: World, tag: str) -> None:
    """Also before we ever gave one to anybody: then there is no secret to hold it against."""
    got = world.fed(world.mail(PSIRT, "no number", to=(f"cert+{tag}.aaaaaaaaaaaaaaaa@cert.example",)))
    assert (got.place, got.flags) == ("triage", "bad-token")


def test_an_ordinary_addition_is_nothing_special(world: World) -> None:
    got = world.fed(world.mail(PSIRT, "no number", to=("cert+security@cert.example",)))
    assert (got.place, got.flags) == ("triage", "")


def test_an_address_of_one_case_and_the_number_of_another_is_a_persons_to_decide(world: World) -> None:
    world.vendor_case()
    world.case(VENDOR, vu=OTHER_VU)
    got = world.fed(world.mail(PSIRT, f"VU#{OTHER_VU}", to=(answers_to(world),)))
    assert place(got) == ("review", "is addressed to one case and names another")
    assert (got.claimed_vu, got.suggested_vu) == (OTHER_VU, VU)
    assert (world.turn(), world.turn(vu=OTHER_VU)) == ("them", "them")


@pytest.mark.parametrize(
    ("state", "whys"),
    [
        ("closed", ["answer; the case was closed, and goes on (its sender: claimed)", "answer"]),
        ("published", ["answer; the case is published"] * 2),
    ],
)
def test_after_the_end_the_owner_still_gets_participants_mail_and_strangers_go_to_review(
    world: World, state: str, whys: list[str]
) -> None:
    world.vendor_case()
    address = answers_to(world)
    with world.writing() as tx:
        cases.change(tx, cases.by_vu(tx, VU).id, state=state)
    for why, to, subject in zip(whys, (address, OURS), ("no number", f"VU#{VU}"), strict=True):
        got = world.fed(world.mail(PSIRT, subject, to=(to,)))
        assert place(got) == ("filed", why)
        assert world.fed(world.mail("eve@evil.example", subject, to=(to,))).place == "review"
    assert len(world.queue("alice")) == 2
    assert world.turn() == "us"


def test_the_address_stays_good_when_the_identity_moves(worlds: MakeWorld) -> None:
    """The old address becomes one of `identity.also`; letters that left long ago name it."""
    world = worlds()
    world.vendor_case()
    old = answers_to(world)
    world.with_identity(address="vul@notes.example", also=(OURS,))
    assert world.fed(world.mail(PSIRT, "no number", to=(old,))).place == "filed"


def test_with_another_separator_the_old_sign_is_nothing(worlds: MakeWorld) -> None:
    world = worlds(IDENTITY__SEPARATOR="=")
    world.vendor_case()
    [mail] = world.sent()
    assert mail["Reply-To"].startswith(f"cert=vu{VU}.")
    assert world.fed(world.mail(PSIRT, "no number", to=(mail["Reply-To"],))).place == "filed"
    assert world.fed(world.mail(PSIRT, "no number", to=(mail["Reply-To"].replace("=", "+"),))).place == "triage"


def test_all_nodes_have_one_secret(world: World) -> None:
    with world.writing() as tx:
        first = secret.made(tx)
    with world.node("n2").db.write() as tx:
        assert secret.made(tx) == first
    assert len(first) == secret.OCTETS


def test_nodes_that_need_it_at_once_make_one(world: World) -> None:
    nodes = [world.node(f"n{n}").db for n in range(4)]

    def made(db: Database) -> bytes:
        with db.write() as tx:
            return secret.made(tx)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(made, nodes))) == 1


def test_what_is_suggested_is_taken_with_one_command(world: World) -> None:
    world.vendor_case()
    got = world.fed(world.mail("eve@evil.example", "hello", to=(answers_to(world),)))
    filed = file.route(world.tools, Actor("alice", world.alice.analyst_id), got.id)
    assert (place(filed), filed.case_id, filed.suggested_vu) == (("filed", "filed by hand"), 1, None)
