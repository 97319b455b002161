"""What the engine may ask of its own session. Requests of a sandbox: they never merge, approve or widen anything."""

from collections.abc import Callable

from outrider.model import commands as c
from outrider.model.errors import BadRequest, Refused
from outrider.model.ids import CommitId, TurnId
from outrider.model.limits import FIXED, raised_by
from outrider.model.proof import Phase, Proof
from outrider.ports.tools import ChildrenAwaited, ChildWanted
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.child_tools import ChildTools
from outrider.session.collect import collect
from outrider.session.state import State
from outrider.session.workbench import Workbench


class Tools:
    """Implements `outrider.ports.tools.SessionTools`."""

    def __init__(self, bench: Workbench, actor: Actor) -> None:
        self._bench = bench
        self._actor = actor
        self._children = ChildTools(bench, actor)

    async def spawn_session(self, wanted: ChildWanted) -> str:
        """Start a child of this session."""
        return await self._children.spawn(wanted)

    async def send_to_session(self, session: str, prompt: str, key: str | None) -> str:
        """Send a child another prompt."""
        return await self._children.send(session, prompt, key)

    async def wait_for_sessions(self, awaited: ChildrenAwaited) -> str:
        """Wait for children, for a while."""
        return await self._children.wait(awaited)

    async def list_sessions(self) -> str:
        """The tree."""
        return await self._children.tree()

    async def run_checks(self) -> str:
        """Run the repository's checks on the committed head and say what they show."""
        turn = await self._turn()
        head, uncommitted = await self._collect()
        if head == self._actor.state.created.base_commit:
            raise Refused("There is no commit to check.", "Commit your work first.")
        await self._actor.ask(c.AskProof(head))
        state = await self._wait(turn, lambda state: state.proving is None)
        if state.head_proof is None or state.head != head:
            raise Refused("The checks did not come to an end.", "Ask again.")
        return f"{uncommitted}{_shown(state.head_proof)}"

    async def open_pull_request(self, title: str, body: str) -> str:
        """Push the committed head and have a pull request for it. Returns its URL."""
        if not title.strip() or len(title) > 300 or len(body) > 60_000:
            raise BadRequest("A title has 1 to 300 characters and a body at most 60,000.", raised_by(FIXED))
        turn = await self._turn()
        head, uncommitted = await self._collect()
        await self._actor.ask(c.AskPullRequest(head, title.strip(), body))
        state = await self._wait(turn, lambda state: state.publishing is None)
        if state.pull_request is None or state.pull_request.head_commit != head:
            raise Refused("The pull request could not be opened.", "It is tried again at the end of the turn.")
        return f"{uncommitted}{state.pull_request.url}"

    async def _turn(self) -> TurnId:
        """The turn that asks, once its workspace is synced. Raises Refused where it never is."""
        turn = self._actor.state.turn
        if turn is None:
            raise Refused("No turn runs.")
        await self._bench.synced(self._actor, turn.id)
        if not self._actor.state.synced:
            raise Refused("The turn has ended.")
        return turn.id

    async def _collect(self) -> tuple[CommitId, str]:
        """Fetch the head; the second part warns of what is not committed."""
        work = await collect(self._bench, self._actor.state, leftovers=False)
        await self._actor.ask(c.Report(self._bench.world.redactor.value(work)))
        missing = wording.count(work.uncommitted, "file")
        return work.head, f"Uncommitted changes to {missing} are not part of this.\n\n" if work.uncommitted else ""

    async def _wait(self, turn: TurnId, reached: Callable[[State], bool]) -> State:
        """Wait for the answer, or for the end of the turn that asked."""
        state = await self._bench.until(
            self._actor, lambda state: state.turn is None or state.turn.id != turn or reached(state)
        )
        if state.turn is None or state.turn.id != turn:
            raise Refused("The turn has ended.")
        return state


def _shown(proof: Proof) -> str:
    lines = [f"{proof.verdict.value}: {proof.summary}"]
    lines += [
        f"- {result.name} ({result.phase.value}): {result.verdict.value}, exit code {result.exit_code}"
        for result in proof.results
    ]
    red = wording.red_logs(proof, Phase.AFTER)
    return "\n".join([*lines, red] if red else lines)
