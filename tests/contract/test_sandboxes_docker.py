"""The same contract for containers, at a daemon of the tests' own; skipped, with a reason, where none can be had."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import TOOLBOX, SandboxSpec
from outrider.ports.sandbox import ExecSpec
from outrider.sandboxes.docker.provider import DockerProvider
from outrider.testing.guest_contract import CommandContract, TransferContract
from outrider.testing.layer_contract import LayerContract
from outrider.testing.limits_contract import LimitsContract
from outrider.testing.sandbox_contract import LifecycleContract, MakeProvider, Traces
from outrider.testing.service_contract import ServicesContract
from outrider.testing.snapshot_contract import SnapshotContract
from outrider.testing.tars import tar_of
from tests.conftest import DOCKER
from tests.forked_scripts import Scripts
from tests.one_sandbox import OneSandbox

pytestmark = pytest.mark.sandbox


class _Docker:
    @pytest.fixture
    def make_provider(self, make_docker_provider: Callable[[], DockerProvider]) -> MakeProvider:
        return make_docker_provider

    @pytest.fixture
    def adapter(self, daemon: Path) -> str:
        return f"""
from pathlib import Path
from outrider.ports.clock import SystemClock
from outrider.sandboxes.docker.provider import DockerProvider
make = lambda: DockerProvider(Path({str(DOCKER / "state")!r}), SystemClock(), socket=Path({str(daemon)!r}))
"""

    @pytest.fixture
    def traces(self, make_docker_provider: Callable[[], DockerProvider]) -> Traces:
        return lambda sandbox: traces(make_docker_provider(), sandbox)

    @pytest.fixture
    def base(self, docker_base: LayerId) -> LayerId:
        return docker_base


class TestDockerLifecycle(_Docker, LifecycleContract):
    pass


class TestDockerLayers(_Docker, LayerContract):
    pass


class TestDockerSnapshots(_Docker, SnapshotContract):
    pass


class TestDockerServices(_Docker, OneSandbox, ServicesContract):
    pass


class TestDockerCommands(_Docker, OneSandbox, CommandContract):
    pass


class TestDockerTransfer(_Docker, OneSandbox, TransferContract):
    pass


class TestDockerLimits(_Docker, LimitsContract):
    pass


SERVER = """
import asyncio, sys
from pathlib import Path
from outrider.model.sandbox import SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.sandboxes.docker.provider import DockerProvider

async def main(state, socket, base, id):
    provider = DockerProvider(Path(state), SystemClock(), socket=Path(socket))
    print("making", flush=True)
    await provider.create(SandboxSpec(id=id, layers=(base,), labels={"for": "death"}))
    print("made", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


class TestDockerRemains:
    async def test_destroying_leaves_nothing(
        self, make_docker_provider: Callable[[], DockerProvider], docker_base: LayerId
    ) -> None:
        provider = make_docker_provider()
        volumes = await volume_names(provider) | {provider.images.volume(docker_base)}
        spec = SandboxSpec(id=SandboxId(new_id("sb")), layers=(docker_base,), toolbox=docker_base)
        handle = await provider.create(spec)
        async with await provider.connect(handle) as guest:
            await guest.run(ExecSpec(argv=["sh", "-c", "setsid sleep 999 >/dev/null 2>&1 & mkdir -m 0 ~/closed"]))
            toolbox = await guest.run(ExecSpec(argv=["sh", "-c", f"ls {TOOLBOX}/usr; touch {TOOLBOX}/x"]))
        assert b"bin" in toolbox.output
        assert b"Read-only" in toolbox.output
        names = await container_names(provider, spec.id)
        kinds = set(on_the_machine(names))
        assert await traces(provider, spec.id)
        await provider.destroy(handle)
        assert await traces(provider, spec.id) == []
        assert kinds == {"mount", "group", "process", "file"}
        assert on_the_machine(names) == {}
        assert await volume_names(provider) <= volumes

    async def test_an_image_without_a_shell_leaves_nothing(
        self, make_docker_provider: Callable[[], DockerProvider], tmp_path: Path, daemon: Path
    ) -> None:
        provider, layer, tar = make_docker_provider(), LayerId(new_id("layer")), tmp_path / "layer.tar"
        tar.write_bytes(tar_of({"etc/passwd": b""}))
        await provider.add_layer(layer, tar)
        spec = SandboxSpec(id=SandboxId(new_id("sb")), layers=(layer,))
        with pytest.raises(SandboxError):
            await provider.create(spec)
        assert await traces(provider, spec.id) == []
        await provider.delete_layer(layer)

    @pytest.mark.parametrize("delay", [0.0, 0.1, 0.3, None])
    async def test_a_killed_server_leaves_one_that_can_be_reached_or_nothing(
        self,
        scripts: Scripts,
        make_docker_provider: Callable[[], DockerProvider],
        docker_base: LayerId,
        daemon: Path,
        delay: float | None,
    ) -> None:
        provider, sandbox = make_docker_provider(), SandboxId(new_id("sb"))
        with scripts.run(SERVER, str(provider.state.path), str(daemon), docker_base, sandbox) as server:
            assert server.stdout.readline() == "making\n"
            if delay is None:
                assert server.stdout.readline() == "made\n"
            else:
                await asyncio.sleep(delay)  # the moment of the kill is what is varied
            server.kill()
        rows = [row for row in await make_docker_provider().list({"for": "death"}) if row.handle.id == sandbox]
        if delay is None:
            async with await provider.connect(rows[0].handle) as guest:
                assert (await guest.run(ExecSpec(argv=["true"]))).exit_code == 0
        for row in rows:
            await provider.destroy(row.handle)
        assert [name for name in await traces(provider, sandbox) if not name.endswith(".json")] == []


async def traces(provider: DockerProvider, sandbox: SandboxId) -> list[str]:
    """All that still knows the sandbox: containers, and our records."""
    rows = await provider.api.get("/containers/json", {"all": True})
    names = [name for row in rows for name in row["Names"] if sandbox in name]
    return names + [str(path) for path in provider.state.path.glob(f"sandboxes/{sandbox}*")]


async def volume_names(provider: DockerProvider) -> set[str]:
    """Every volume of the daemon. That of a toolbox stays for the next sandbox."""
    return {row["Name"] for row in (await provider.api.get("/volumes"))["Volumes"] or ()}


async def container_names(provider: DockerProvider, sandbox: SandboxId) -> list[str]:
    """By what the machine knows its container: the daemon's id of it, and the folders of its root and its network."""
    row = await provider.api.get(f"/containers/outrider-{provider.state.home()}-{sandbox}/json")
    root = Path((row["GraphDriver"]["Data"] or {}).get("MergedDir", "")).parent.name
    return [name for name in (row["Id"], root, Path(row["NetworkSettings"]["SandboxKey"]).name) if name]


def on_the_machine(names: list[str]) -> dict[str, list[str]]:
    """All that the machine has of a container, by kind: mounts, control groups, processes in them, files of the daemon.
    The empty file on which a network was mounted is none of it: the daemon sweeps those once a minute."""

    def named(places: Iterable[object]) -> list[str]:
        return [str(place) for place in places if any(name in str(place) for name in names)]

    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    folders = (
        "data/containers/*",
        "data/overlay2/*",
        "data/image/*/layerdb/mounts/*",
        "exec/containerd/**/*",
        "exec/runtime-runc/**/*",
    )
    found = {
        "mount": named(line for line in mounts if str(DOCKER) in line),
        "group": named(Path("/sys/fs/cgroup").glob("**/*")),
        "process": named(_groups_of_processes()),
        "file": named(path for folder in folders for path in DOCKER.glob(folder)),
    }
    return {kind: traces for kind, traces in found.items() if traces}


def _groups_of_processes() -> Iterator[str]:
    for table in Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):
            yield f"{table}: {table.read_text()}"
