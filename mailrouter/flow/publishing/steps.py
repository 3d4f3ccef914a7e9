"""The three steps of publication in their order; whoever finds one undone goes on from there.

Promises: killed between any two of them, the next call, or the daemon, goes on; nothing is decided, built or told
twice.
"""

from collections.abc import Callable, Mapping, Sequence

from mailrouter import failpoint, logs
from mailrouter.faults import Illegal, TryLater
from mailrouter.flow.actor import Actor, note
from mailrouter.flow.notes import deciding
from mailrouter.flow.publishing import release, site
from mailrouter.flow.publishing.site import Pressed
from mailrouter.store import cases, notes
from mailrouter.store.notes import Revision
from mailrouter.tools import Tools


def publish(
    tools: Tools, actor: Actor, vu: int, *, overrides: Mapping[str, str], emergency: str = ""
) -> Revision:  # fmt: skip
    """All three: the revision that readers have then. See `deciding.decide` for what stops it.

    What was decided before and not finished is finished instead: whoever was told "killed" gives the command again.
    `Illegal` while readers have what this database never decided.
    """
    if why := site.ahead(tools):
        raise Illegal(f"the site is newer than the database: {why} `mailrouter note press` replaces it all the same")
    left = _left_off(tools, vu)
    decided = left or [deciding.decide(tools, actor, vu, overrides=overrides, emergency=emergency)]
    failpoint.reach("publish-after-decide")
    finish(tools, decided)
    with tools.db.read() as tx:
        return notes.get(tx, decided[-1].id)


def _left_off(tools: Tools, vu: int) -> list[Revision]:
    with tools.db.read() as tx:
        case = cases.by_vu(tx, vu)
        return [one for one in notes.not_released(tx) if one.case_id == case.id]


def press_again(tools: Tools, actor: Actor) -> Pressed:
    """The whole site, built again because an analyst wants it; and what was decided is finished."""
    with tools.db.read() as tx:
        waiting = notes.not_released(tx)
    done = finish(tools, waiting)
    with tools.db.write() as tx:
        note(tx, tools, actor, "site.pressed", build=done.folder.name, notes=len(done.built.notes))
    return done


def catch_up(tools: Tools, over: Callable[[], bool] = lambda: False) -> bool:
    """What was decided and readers do not have, or have not been told of; and a site that is behind. False: nothing.

    Nothing, too, while readers have what this database does not know: only a person says that the older site counts.
    """
    if site.ahead(tools):
        return False  # each node's watch tells the operator
    with tools.db.read() as tx:
        waiting = notes.not_released(tx)
    why = "" if waiting else site.behind(tools, tools.now())
    if not waiting and not why:
        return False
    finish(tools, waiting, over)
    logs.event("site.built", why=why or "decided", released=len(waiting))
    return True


def finish(tools: Tools, decided: Sequence[Revision], over: Callable[[], bool] = lambda: False) -> Pressed:
    """Steps 2 and 3 for these. `TryLater` when the machine has no room or no right for the site."""
    try:
        done = site.press(tools, over)
    except OSError as trouble:
        raise TryLater(_not_built(decided, trouble)) from trouble
    for revision in decided:
        release.release(tools, revision.id)
    return done


def _not_built(decided: Sequence[Revision], trouble: OSError) -> str:
    """What stands and what does not; of the trouble only its kind."""
    stands = f"{', '.join(one.name for one in decided)} is decided; " if decided else ""
    why = trouble.strerror or type(trouble).__name__
    return f"{stands}the site could not be built in press.folder: {why}; the daemon goes on once it can"
