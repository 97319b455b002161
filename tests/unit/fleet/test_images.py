"""Images: which layers are made, how often, and what is said when one cannot be."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outrider.fleet.claims import LayerClaims
from outrider.fleet.clean import PURPOSE_LABEL, CleanSandboxes, reap_left_behind
from outrider.fleet.commands import Progress
from outrider.fleet.images.layers import layer_id, tar_of
from outrider.fleet.images.machine import Image, Images
from outrider.fleet.limits import SandboxSlots
from outrider.model.egress import EgressPolicy
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId, SandboxId
from outrider.model.image import BuildStep, MachineWants
from outrider.model.sandbox import EGRESS_PORT, GuestRole, LayerInfo, SandboxHandle, SandboxInfo, SandboxSpec
from outrider.ports.broker import Door, DoorSpec
from outrider.ports.sandbox import ExecResult, ExecSpec, SandboxProvider
from outrider.testing.manual_clock import ManualClock
from outrider.testing.memory_image_catalog import MemoryImageCatalog


@dataclass
class ScriptedGuest:
    """Answers every command with one result and remembers what it was asked."""

    result: ExecResult
    asked: list[tuple[str, ...]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    async def __aenter__(self) -> "ScriptedGuest":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def forward(self, port: int, socket_path: Path) -> None:
        self.ports.append(port)

    async def run(
        self, spec: ExecSpec, *, stdin: bytes = b"", timeout_seconds: float = 60, output_limit: int = 1 << 20
    ) -> ExecResult:
        self.asked.append(tuple(spec.argv))
        await asyncio.sleep(0)
        return self.result


@dataclass
class MemoryProvider:
    """Keeps the names of layers and sandboxes, and nothing else of either."""

    guest: ScriptedGuest
    layers: dict[LayerId, bytes] = field(default_factory=dict)
    made: list[SandboxSpec] = field(default_factory=list)
    alive: dict[SandboxId, SandboxSpec] = field(default_factory=dict)
    frozen: list[LayerId] = field(default_factory=list)
    stuck: set[SandboxId] = field(default_factory=set)

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        self.made.append(spec)
        self.alive[spec.id] = spec
        return SandboxHandle(id=spec.id, provider="memory")

    async def connect(self, handle: SandboxHandle) -> ScriptedGuest:
        return self.guest

    async def list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        return [
            SandboxInfo(handle=SandboxHandle(id=spec.id, provider="memory"), labels=spec.labels, running=True)
            for spec in self.alive.values()
        ]

    async def freeze(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        self.frozen.append(layer)
        self.layers[layer] = b""
        await self.destroy(handle)
        return layer

    async def destroy(self, handle: SandboxHandle) -> None:
        if handle.id in self.stuck:
            raise SandboxError("It will not go.")
        self.alive.pop(handle.id, None)

    async def has_layer(self, layer: LayerId) -> bool:
        await asyncio.sleep(0)
        return layer in self.layers

    async def list_layers(self) -> Sequence[LayerInfo]:
        return [LayerInfo(id=layer, used=False) for layer in self.layers]

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        self.layers[layer] = await asyncio.to_thread(tar.read_bytes)


@dataclass
class QuietBroker:
    """Opens doors to nowhere and remembers them."""

    files: dict[str, bytes]
    doors: list[DoorSpec] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, spec: DoorSpec) -> AsyncIterator[Door]:
        self.doors.append(spec)
        yield Door(Path("h"), Path("e"))

    def guest_environment(self) -> dict[str, str]:
        return {"HTTP_PROXY": "http://127.0.0.1:4181"}

    def guest_files(self) -> dict[str, bytes]:
        return self.files


@dataclass
class GivenLayer:
    """A layer source that counts how often it is asked."""

    layer: LayerId
    asked: int = 0

    async def ensure(self, provider: SandboxProvider, say: Progress) -> LayerId:
        self.asked += 1
        return self.layer


class Fleet:
    """Images over a provider in memory."""

    def __init__(self, result: ExecResult | None = None, files: dict[str, bytes] | None = None) -> None:
        self.guest = ScriptedGuest(result or ExecResult(0, b"", truncated=False, timed_out=False))
        self.provider = MemoryProvider(self.guest)
        self.broker = QuietBroker({"/etc/apt/apt.conf.d/90outrider": b"proxy"} if files is None else files)
        self.sandboxes = CleanSandboxes(self.provider, self.broker, SandboxSlots(1))
        self.images = Images(self.sandboxes, GivenLayer(LayerId("base-a")), GivenLayer(LayerId("toolbox-a")))
        self.said: list[str] = []

    async def prepare(self, *packages: str) -> Image:
        return await self.images.prepare(MachineWants(packages=packages), self.said.append)


async def test_packages_lie_between_the_base_and_the_settings_of_package_clients() -> None:
    fleet = Fleet()
    image = await fleet.prepare("jq", "libpq-dev")
    base, packages, clients = image.layers
    assert (base, image.toolbox) == ("base-a", "toolbox-a")
    assert packages.startswith("packages-")
    assert clients.startswith("clients-")
    (spec,) = fleet.provider.made
    assert (spec.layers, spec.role, spec.labels) == ((base, clients), GuestRole.BUILD, {PURPOSE_LABEL: "an image"})
    (argv,) = fleet.guest.asked
    assert argv[-2:] == ("jq", "libpq-dev")
    assert "apt-get install" in argv[2]
    assert [door.egress for door in fleet.broker.doors] == [EgressPolicy()]
    assert EGRESS_PORT in fleet.guest.ports
    assert fleet.said == ["Installing Debian packages: jq, libpq-dev."]
    assert fleet.provider.alive == {}


async def test_every_layer_that_can_be_collected_is_claimed_before_it_is_looked_for() -> None:
    fleet, catalog, clock = Fleet(), MemoryImageCatalog(), ManualClock()
    await fleet.prepare("jq")
    sandboxes = CleanSandboxes(fleet.provider, fleet.broker, SandboxSlots(1), claims=LayerClaims(catalog, clock))
    images = Images(sandboxes, GivenLayer(LayerId("base-a")), GivenLayer(LayerId("toolbox-a")))
    image = await images.prepare(MachineWants(packages=("jq",), stacks=("redis",)), fleet.said.append)
    # The base and the toolbox are in force, which keeps them.
    assert await catalog.layer_uses() == dict.fromkeys(image.layers[1:], clock.now())


async def test_each_layer_is_made_once_however_many_ask() -> None:
    fleet = Fleet()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(fleet.prepare("jq"), name=f"ask-{n}") for n in range(5)]
    assert len({task.result() for task in asking}) == 1
    assert len(fleet.provider.frozen) == 1
    assert await fleet.prepare("jq") == asking[0].result()
    assert len(fleet.provider.made) == 1


async def test_the_order_of_packages_makes_no_other_layer_and_other_settings_rebuild_none() -> None:
    fleet = Fleet()
    first, second = await fleet.prepare("a1", "b1"), await fleet.prepare("b1", "a1", "b1")
    assert first == second
    fleet.broker.files = {"/etc/apt/apt.conf.d/90outrider": b"another proxy"}
    third = await fleet.prepare("a1", "b1")
    assert third.layers[:2] == first.layers[:2]
    assert third.layers[2] != first.layers[2]
    assert len(fleet.provider.frozen) == 1


async def test_a_found_base_that_cannot_be_made_gives_way_to_ours_and_says_so() -> None:
    fleet = Fleet(files={})
    step = BuildStep(command="true", origin="Dockerfile, line 2")
    wants = MachineWants(base="local/none:1", steps=(step,), packages=("jq",))
    with pytest.raises(SandboxError, match="none"):
        await fleet.images.prepare(wants, fleet.said.append)
    for _ in range(2):
        image = await fleet.images.prepare(wants.model_copy(update={"or_ours": True}), fleet.said.append)
        assert image.layers == (await fleet.prepare("jq")).layers
        assert image.notice.startswith("The sandbox is on Outrider's own base: The image local/none:1") or (
            "There is no image “none”" in image.notice
        )


async def test_nothing_is_made_where_nothing_is_asked_for() -> None:
    fleet = Fleet(files={})
    assert await fleet.prepare() == Image((LayerId("base-a"),), LayerId("toolbox-a"))
    assert (fleet.provider.made, fleet.provider.layers) == ([], {})


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (
            ExecResult(100, b"Get:1\nE: Unable to locate package nope\n", truncated=False, timed_out=False),
            "ended with 100",
        ),
        (
            ExecResult(137, b"E: Unable to locate package nope", truncated=False, timed_out=True),
            "it took longer than 1200 s",
        ),
    ],
)
async def test_a_failure_says_the_last_lines_and_leaves_nothing(result: ExecResult, said: str) -> None:
    fleet = Fleet(result)
    with pytest.raises(SandboxError, match="Unable to locate package nope") as caught:
        await fleet.prepare("nope")
    assert said in caught.value.sentence
    assert "`packages` in outrider.toml" in caught.value.remedy
    assert (fleet.provider.alive, fleet.provider.frozen) == ({}, [])


async def test_the_files_of_a_layer_belong_to_guest_root() -> None:
    files = {"/etc/b": b"2", "/etc/a": b"1"}
    with tarfile.open(fileobj=io.BytesIO(tar_of(files))) as tar:
        members = tar.getmembers()
    assert [(member.name, member.uid, member.mode, member.mtime) for member in members] == [
        ("etc/a", 0, 0o644, 0),
        ("etc/b", 0, 0o644, 0),
    ]
    assert tar_of(files) == tar_of(dict(reversed(files.items())))


def test_layer_ids_tell_their_parts_apart() -> None:
    assert layer_id("setup", "ab", "c") != layer_id("setup", "a", "bc")
    assert len(layer_id("packages", "x")) < 40


async def test_only_clean_sandboxes_are_reaped_and_one_that_stays_holds_up_none() -> None:
    fleet = Fleet()
    for name, labels in (("a", {PURPOSE_LABEL: "x"}), ("b", {PURPOSE_LABEL: "x"}), ("c", {"session": "s"})):
        await fleet.provider.create(SandboxSpec(id=SandboxId(name), layers=(LayerId("l"),), labels=labels))
    fleet.provider.stuck = {SandboxId("a")}
    assert await reap_left_behind(fleet.provider, PURPOSE_LABEL) == 2
    assert set(fleet.provider.alive) == {"a", "c"}
