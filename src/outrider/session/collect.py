"""Fetching what was committed in the workspace, for the end of a turn, for a stop, and for the engine's own asking."""

from outrider.model.events import WorkCollected
from outrider.model.turn import FILES_NAMED
from outrider.session import wording
from outrider.session.state import State
from outrider.session.workbench import Workbench

MOST_COMMITS = 500
MOST_FILES = 2000
"""Shown of a change; all of it is fetched and pushed."""


async def collect(bench: Workbench, state: State, *, leftovers: bool) -> WorkCollected:
    """Fetch the head into the quarantine; with `leftovers`, what is uncommitted is committed first. Raises
    RepositoryError, SandboxError."""
    guest = await bench.link.reached()
    quarantine = await bench.world.open_quarantine(state.created)
    committed = False
    if leftovers and state.turn:
        author = state.turn.prompt.author.person
        committed = await quarantine.commit_leftovers(guest, author, wording.leftovers(state, state.turn))
    uncommitted = () if committed else await quarantine.dirty(guest)
    work = await quarantine.fetch(state.session, guest, state.created.base_commit)
    return WorkCollected(
        head=work.head,
        commits=work.commits[:MOST_COMMITS],
        files=work.files[:MOST_FILES],
        leftovers_committed=committed,
        uncommitted=len(uncommitted),
        uncommitted_files=uncommitted[:FILES_NAMED],
    )
