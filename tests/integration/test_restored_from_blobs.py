"""A machine that has lost every layer: what comes back from the blob store, and what is said of the rest."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from outrider.fleet.commands import Progress
from outrider.fleet.images.machine import Image
from outrider.model.commands import QueuePrompt, Rewind
from outrider.model.events import ProblemReported, Recorded, SandboxReady
from outrider.model.ids import LayerId, SessionId
from outrider.model.image import MachineWants
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, write_file
from outrider.testing.playbook import BOB
from outrider.testing.session_world import (
    BASE_LAYER,
    TOOLBOX_LAYER,
    FakeImages,
    SessionWorld,
    new_prompt,
    new_session,
    running,
    turn_end,
    until,
)

BASE, CLIENTS = LayerId("base-one"), LayerId("clients-one")


@dataclass
class MachineImages(FakeImages):
    """Makes the base and the toolbox where they are not there, as every machine does."""

    folder: Path = Path()

    async def prepare(self, wants: MachineWants, progress: Progress) -> Image:
        """Layers of the same files as the first time."""
        for layer in (*self.layers, TOOLBOX_LAYER):
            if not (self.folder / "sandboxes" / "layers" / layer).exists():
                await asyncio.to_thread(self.make, layer)
        return await super().prepare(wants, progress)

    def make(self, layer: LayerId) -> None:
        """One layer, out of what is kept aside."""
        shutil.copytree(self.folder / "aside" / BASE_LAYER, self.folder / "sandboxes" / "layers" / layer)


class Machine:
    """A server whose layers are lost between two turns of a session."""

    def __init__(self, folder: Path) -> None:
        wrote = {name: [write_file(f"{name}.txt", f"{name}\n")] for name in ("one", "two", "three")}
        wrote["one"].append(write_file("kept.txt", "not in git\n"))
        engine = FakeEngine(wrote | {"": []})
        self.folder = folder
        self.world = SessionWorld(folder, engine)
        self.images = self.world.images = MachineImages((BASE, CLIENTS), folder)

    async def first_turn(self) -> SessionId:
        """A session whose files are stored; the names of what is stored are checked."""
        self.world.source.commit("Ignore it.", {".gitignore": "kept.txt\n"})
        repository = await self.world.begin()
        await asyncio.to_thread(shutil.copytree, self.layers, self.folder / "aside")
        async with running(self.world.registry()) as registry:
            session = await registry.create(new_session(repository, self.world.source.head(), "one"))
            await until(registry, session, lambda state: state.turn is None and bool(state.snapshots))
            state = await until(registry, session, lambda state: all(kept.stored for kept in state.snapshots))
        assert set(await asyncio.to_thread(self.stored)) == {CLIENTS, *(kept.layer for kept in state.snapshots)}
        return session

    @property
    def layers(self) -> Path:
        return self.folder / "sandboxes" / "layers"

    def stored(self) -> list[str]:
        return [path.name.removesuffix(".tar.zst") for path in (self.folder / "layer-blobs").iterdir()]

    def lose(self) -> None:
        """Every sandbox and every layer."""
        shutil.rmtree(self.folder / "sandboxes")
        self.layers.mkdir(parents=True)
        (self.folder / "sandboxes" / "boxes").mkdir()

    async def ask(self, registry: Registry, session: SessionId, text: str, turns: int) -> list[str]:
        """One more turn; the files that are there at its end."""
        await registry.ask(session, QueuePrompt(new_prompt(text)))
        await turn_end(registry, session, turns=turns)
        await until(registry, session, lambda state: state.snapshot_due is None and state.turn is None)
        return await asyncio.to_thread(self.files)

    def files(self) -> list[str]:
        [box] = (self.folder / "sandboxes" / "boxes").iterdir()
        return sorted(path.name for path in (box / "root" / "workspace").glob("*.txt"))


async def told(registry: Registry, session: SessionId) -> tuple[list[str], list[str]]:
    """How the session came by its sandboxes, and what people were told."""
    events = [Recorded.model_validate_json(row).event for row in await registry.events(session, 0, 1000)]
    return (
        [event.how for event in events if isinstance(event, SandboxReady)],
        [event.sentence for event in events if isinstance(event, ProblemReported)],
    )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_without_any_layer_here_a_session_has_its_files_again(machine: Machine) -> None:
    session = await machine.first_turn()
    await asyncio.to_thread(machine.lose)
    async with running(machine.world.registry()) as registry:
        assert await machine.ask(registry, session, "two", 2) == ["kept.txt", "one.txt", "sum.txt", "two.txt"]
        how, problems = await told(registry, session)
    assert how == ["cold", "restored"]
    assert ["restored from the snapshot taken after turn 1" in said for said in problems] == [True]


async def test_a_base_that_is_made_here_no_more_is_named_with_what_to_do_and_then_the_files_are_back(
    machine: Machine,
) -> None:
    session = await machine.first_turn()
    await asyncio.to_thread(machine.lose)
    machine.images.layers = (LayerId("base-of-another-release"), CLIENTS)
    async with running(machine.world.registry()) as registry:
        assert await machine.ask(registry, session, "two", 2) == ["one.txt", "sum.txt", "two.txt"]  # what was pushed
        how, problems = await told(registry, session)
        assert how == ["cold", "cold"]
        said = problems[0]
        assert "snapshot taken after turn 1 cannot be restored: base-one is not on this machine" in said
        assert "then rewind this one to turn 1" in said
        await asyncio.to_thread(machine.images.make, BASE)
        await registry.ask(session, Rewind("1", by=BOB))
        assert await machine.ask(registry, session, "three", 3) == ["kept.txt", "one.txt", "sum.txt", "three.txt"]
