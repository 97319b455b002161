"""Proving a change: the checks of the base commit's recipe, run in clean sandboxes on base, before and after."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.images import Images
from outrider.model.events import CheckFinished, CheckStarted, StageReported
from outrider.model.ids import CommitId, ProofId, SessionId
from outrider.model.proof import Proof
from outrider.ports.clock import Clock
from outrider.ports.quarantine import Quarantine
from outrider.ports.store import Blobs

ProofEvent = CheckStarted | CheckFinished | StageReported
Report = Callable[[ProofEvent], Awaitable[None]]
"""Told what happens while a proof is made, as it happens."""


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """What to prove. Both commits stand in the session's quarantine."""

    proof: ProofId
    session: SessionId
    repository: str
    """Name of the repository: finished setups are shared between proofs of one repository, never between two."""
    base: CommitId
    head: CommitId


class Prover:
    """Runs the checks and says what they show."""

    def __init__(
        self, sandboxes: CleanSandboxes, images: Images, quarantine: Quarantine, blobs: Blobs, clock: Clock
    ) -> None:
        self._sandboxes = sandboxes
        self._images = images
        self._quarantine = quarantine
        self._blobs = blobs
        self._clock = clock

    async def prove(self, request: ProofRequest, report: Report) -> Proof:
        """Run the checks and compare. What went wrong with the checks, the setup or the recipe is in the proof;
        nothing of it is raised. Cancelling destroys the sandboxes."""
        raise NotImplementedError
