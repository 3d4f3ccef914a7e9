"""The decision that there is no note, and what SSVC recommends."""

import pytest

from mailrouter.faults import Illegal
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import coordinate, publicity
from mailrouter.flow.notes import notpublishing, recommending
from mailrouter.store import cases
from tests.flow.world import PSIRT, VU, World


def clocks(world: World) -> set[str]:
    return {str(d.kind) for d in world.clocks() if d.done_at is None and d.participant_id is None}


def test_there_is_no_note_and_everybody_is_told_so(world: World) -> None:
    world.vendor_case()
    world.organisation("Later", "psirt@later.example")
    coordinate.add_vendor(world.tools, world.alice, VU, "Later")
    before = clocks(world)
    assert {"publication", "reminder"} <= before
    with pytest.raises(Illegal, match="nobody decided that there is no note"):
        notpublishing.undo(world.tools, world.alice, VU, "x")
    with pytest.raises(Illegal, match="needs an analyst"):
        notpublishing.decide(world.tools, Actor("unix:root"), VU, "x")
    [made] = notpublishing.decide(world.tools, world.alice, VU, "nothing to add")
    [letter] = world.letters("not-published")
    assert (letter.id, letter.recipient, letter.asks) == (made, PSIRT, False)
    assert "everything" not in letter.body
    assert "we will" not in letter.body.replace("we will not publish", ""), "taking it back tells nobody"
    assert clocks(world) == {"embargo"}, "which goes on"
    with pytest.raises(Illegal, match=f"that was decided of VU#{VU} before, by alice on "):
        notpublishing.decide(world.tools, world.alice, VU, "again")
    world.day(60)
    assert [one for one in world.beat(everything=True) if one.kind == "publication"] == []
    world.deliver()
    assert [m for m in world.sent_to(PSIRT) if "no Vulnerability Note" in m["Subject"]]
    after = notpublishing.undo(world.tools, world.alice, VU, "a second vendor")
    assert (after.not_published_at, clocks(world)) == (None, before - {"embargo"})
    notpublishing.decide(world.tools, world.alice, VU, "nothing to add after all")
    assert len(world.letters("not-published")) == 2
    kinds = [entry.kind for entry in world.journal() if entry.kind.startswith("note.")]
    assert kinds == ["note.not-published", "note.not-published-undone", "note.not-published"]
    with world.writing() as tx:
        cases.change(tx, 1, not_published_at=None, published_at=world.clock())
    with pytest.raises(Illegal, match="is published since"):
        notpublishing.decide(world.tools, world.alice, VU, "x")


def test_what_is_recommended_follows_the_case_and_an_analysts_answers(world: World) -> None:
    world.vendor_case()

    def found() -> recommending.Recommended:
        with world.look() as tx:
            return recommending.of(tx, cases.by_vu(tx, VU))

    assert found().derived == {"supplier": "cooperative", "exploitation": "none"}
    assert found().words == "open until an analyst answers: value_added"
    recommending.answer(world.tools, world.alice, VU, {"value_added": "ampliative"})
    assert found().words.startswith("Do not publish (a note would amplify what is public; nothing is known")
    publicity.mark(world.tools, world.alice, VU, "attacks", world.clock(), "seen")
    assert found().words.startswith("Publish (")
    answered = recommending.answer(world.tools, world.alice, VU, {"exploitation": "none"})
    assert (answered.answered["exploitation"], answered.derived) == ("none", {"supplier": "cooperative"})
    assert str(answered.decisions[0]) == "Do not publish"
    recommending.answer(world.tools, world.alice, VU, {"exploitation": "", "value_added": ""})
    assert found().derived["exploitation"] == "active"
    assert found().answered == {}
