"""A world for sessions: real git, real processes in folders, a scripted engine; no walls, no network, no checks."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from outrider.fleet.images.machine import Image
from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.snapshots import Snapshots
from outrider.integrations.builtin.forge import BuiltinForge
from outrider.integrations.builtin.quarantine import GitQuarantine
from outrider.model.engine import ModelRef
from outrider.model.events import ProofRequested, TurnEnded
from outrider.model.ids import CommitId, LayerId, PromptId, SessionId, new_id
from outrider.model.image import MachineWants
from outrider.model.limits import HouseLimits
from outrider.model.membership import House
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.model.proof import Proof, ProofVerdict
from outrider.model.repository import Repository
from outrider.model.sandbox import GUEST_HOME, SandboxHandle, Totals
from outrider.ports.broker import Door, DoorSpec
from outrider.ports.clock import Clock, SystemClock
from outrider.ports.sandbox import Guest
from outrider.proof.recipes import Recipes
from outrider.proof.runner import ProofRequest, Report
from outrider.session.effects.checkout import REPOSITORY_URL
from outrider.session.policy import Policy
from outrider.session.quotas import Quotas
from outrider.session.redaction import Redactor
from outrider.session.registry import NewSession, Registry
from outrider.session.state import State
from outrider.session.turn_slots import TurnSlots
from outrider.session.world import NoPool, WarmSource, World
from outrider.storage.attachments import DirectoryAttachments
from outrider.storage.layer_blobs import DirectoryLayerBlobs
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.fake_engine import FakeEngine
from outrider.testing.fake_guest import FakeGuest
from outrider.testing.fake_sandbox import DyingSandbox
from outrider.testing.git_source import GitSource
from outrider.testing.memory_forge_catalog import MemoryForgeCatalog
from outrider.testing.memory_image_catalog import MemoryImageCatalog
from outrider.testing.memory_rates import MemoryRates
from outrider.testing.memory_search import MemorySearch
from outrider.testing.memory_store import MemoryBlobs, MemorySessionIndex
from outrider.testing.playbook import ADA, proof_of

BASE_LAYER = LayerId("layer-base")
TOOLBOX_LAYER = LayerId("layer-toolbox")
SECRET = "sk-very-secret-value-of-a-key"


class UnforwardedGuest(FakeGuest):
    """Its ports would be this machine's: many fakes at once could not have them all."""

    async def forward(self, port: int, socket_path: Path) -> None:
        """Nothing."""


class Sandboxes(DyingSandbox):
    """Fake sandboxes whose git finds the mirror on the disk in place of the broker."""

    async def connect(self, handle: SandboxHandle) -> Guest:
        """A guest without forwarded ports."""
        await super().connect(handle)
        return UnforwardedGuest(handle.id, self.root(handle.id), lambda: self._runs(handle.id))


class FakeBroker:
    """Doors that lead nowhere; keeps what they were opened for."""

    def __init__(self) -> None:
        self.doors: list[DoorSpec] = []

    @asynccontextmanager
    async def open(self, spec: DoorSpec) -> AsyncIterator[Door]:
        """A door."""
        self.doors.append(spec)
        yield Door(http=Path("/nonexistent"), egress=Path("/nonexistent"))

    def hand_over(self, door: Door, spec: DoorSpec) -> None:
        """Another owner."""
        self.doors.append(spec)

    def guest_environment(self) -> dict[str, str]:
        """Something to find in the guest."""
        return {"HTTPS_PROXY": "http://127.0.0.1:4181"}

    def guest_files(self) -> dict[str, bytes]:
        """None."""
        return {}


@dataclass
class FakeImages:
    """One image for everybody."""

    layers: tuple[LayerId, ...] = (BASE_LAYER,)

    async def prepare(self, wants: MachineWants, progress: Callable[[str], None]) -> Image:
        """At once."""
        progress("The image is there.")
        return Image(layers=self.layers, toolbox=TOOLBOX_LAYER)


@dataclass
class FakeProver:
    """Answers with these verdicts, one after the other, the last for ever. `gate` holds it up."""

    verdicts: list[ProofVerdict] = field(default_factory=lambda: [ProofVerdict.FIX_PROVED])
    gate: asyncio.Event | None = None
    asked: list[ProofRequest] = field(default_factory=list)
    cancelled: int = 0

    async def prove(self, request: ProofRequest, report: Report) -> Proof:
        """Without any sandbox."""
        self.asked.append(request)
        try:
            if self.gate:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        verdict = self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]
        asked = ProofRequested(proof=request.proof, head=request.head, asked_by="turn_end")
        return proof_of(asked, verdict, base=request.base)


class SessionWorld:
    """Everything that a registry needs, in one folder. `registry()` may be called again: that is a restart."""

    def __init__(self, folder: Path, engine: FakeEngine, clock: Clock | None = None) -> None:
        self.folder = folder
        self.clock = clock or SystemClock()
        self.engine = engine
        self.source = GitSource.create(folder / "demo", {"sum.txt": "1\n"})
        self.sandboxes = Sandboxes(folder / "sandboxes")
        self.broker = FakeBroker()
        self.images = FakeImages()
        self.prover = FakeProver()
        self.index = MemorySessionIndex()
        self.blobs = MemoryBlobs()
        self.search = MemorySearch()
        self.catalog = MemoryForgeCatalog()
        self.image_catalog = MemoryImageCatalog()
        self.policy = Policy(delta_window_seconds=0, commit_window_seconds=0)
        self.pool: WarmSource = NoPool()
        self.house = House()
        self.snapshots = Snapshots(self.sandboxes, DirectoryLayerBlobs(folder / "layer-blobs"), folder / "scratch")
        self.limits = HouseLimits()
        self.totals = Totals()
        self.rates = MemoryRates(self.clock)
        self.attachments = DirectoryAttachments(folder / "attachments", self.clock)
        self.quarantine = GitQuarantine(folder / "quarantine")
        self.forge = BuiltinForge(
            folder / "forge", self.catalog, self.clock, public_base=lambda: "http://localhost:4100"
        )

    @cached_property
    def quotas(self) -> Quotas:
        """Within the limits as they are when it is first asked for."""
        return Quotas(self.rates, self.clock, self.limits.rates)

    async def begin(self) -> Repository:
        """Import the repository and lay the layers down."""
        repository = await self.forge.find(str(self.source.folder), lambda line: None)
        home = self.folder / "sandboxes" / "layers" / BASE_LAYER / GUEST_HOME.lstrip("/")
        await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True)
        mirror = self.forge.mirror(repository)
        config = f'[url "{mirror}"]\n\tinsteadOf = {REPOSITORY_URL}\n'
        await asyncio.to_thread((home / ".gitconfig").write_text, config)
        toolbox = self.folder / "sandboxes" / "layers" / TOOLBOX_LAYER
        await asyncio.to_thread(toolbox.mkdir, exist_ok=True)
        return repository

    def registry(self) -> Registry:
        """A server over these files."""
        world = World(
            clock=self.clock,
            provider=self.sandboxes,
            images=self.images,  # type: ignore[arg-type]
            snapshots=self.snapshots,
            repository_images=RepositoryImages(self.image_catalog, self.sandboxes),
            slots=SandboxSlots(4, totals=self.totals),
            prover=self.prover,  # type: ignore[arg-type]
            engine=self.engine,
            broker=self.broker,
            forges={"builtin": self.forge},
            quarantine=self.quarantine,
            recipes=Recipes(self.quarantine),
            redactor=Redactor([SECRET]),
            blobs=self.blobs,
            attachments=self.attachments,
            quotas=self.quotas,
            turns=TurnSlots(self.limits.work),
            pool=self.pool,
            house=self.house,
        )
        registry = Registry(self.logs(), self.index, self.search, world, self.policy)
        self.forge.listener = registry
        return registry

    def logs(self) -> SqliteSessionLogs:
        """Where sessions are kept."""
        return SqliteSessionLogs(self.folder / "sessions")

    async def killed(self) -> None:
        """Note the logs as a kill would leave them now; the server runs on until the test ends it."""
        await asyncio.to_thread(shutil.copytree, self.folder / "sessions", self.folder / "at the kill")

    async def restore(self) -> None:
        """Once the server is gone: the logs as they were at the kill."""

        def swap() -> None:
            shutil.rmtree(self.folder / "sessions")
            (self.folder / "at the kill").rename(self.folder / "sessions")

        await asyncio.to_thread(swap)


@asynccontextmanager
async def running(registry: Registry) -> AsyncIterator[Registry]:
    """The registry at work; leaving stops it as a server is stopped."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(registry.run(), name="registry")
        try:
            yield registry
        finally:
            task.cancel()


def new_prompt(text: str, by: Person = ADA, key: str | None = None) -> Prompt:
    """A prompt with a fresh id."""
    return Prompt(id=PromptId(new_id("p")), author=Author(person=by), text=text, key=key)


def new_session(repository: Repository, base: CommitId, text: str, key: str | None = None) -> NewSession:
    """A session with a first prompt."""
    return NewSession(
        title="A session",
        repository=repository,
        base_branch="main",
        base_commit=base,
        model=ModelRef(provider="rehearsal", name="demo"),
        prompt=new_prompt(text),
        key=key,
    )


async def until(registry: Registry, session: SessionId, reached: Callable[[State], bool]) -> State:
    """Wait for a state, told of changes by the feed as any client is."""
    async with registry.attach(session, 0) as frames:
        async for _ in frames:
            state = await registry.state(session)
            if reached(state):
                return state
    raise AssertionError("the feed ended first")


async def turn_end(registry: Registry, session: SessionId, turns: int = 1) -> TurnEnded:
    """Wait until so many turns have ended; the last end."""
    state = await until(registry, session, lambda state: state.turns >= turns and state.turn is None)
    if state.last_end is None:
        raise AssertionError("no turn has ended")
    return state.last_end
