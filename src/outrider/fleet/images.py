"""Images: the layers that sandboxes start from. Base below, then the Debian packages that a recipe asks for."""

import asyncio
import base64
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from outrider.fleet.clean import CleanSandboxes, CleanSpec
from outrider.fleet.commands import Progress
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.model.sandbox import GuestRole
from outrider.ports.broker import DoorSpec
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider

INSTALL_SECONDS = 1200.0
"""The same as for the base image: what takes longer hangs."""

LOG_BYTES = 256 << 10
LAST_LINES = 8

_INSTALL = """set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends -- "$@"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt/* /var/log/dpkg.log
"""


@dataclass(frozen=True, slots=True)
class Image:
    """What a sandbox is made from: layers, bottom first, and the toolbox that is mounted read-only."""

    layers: tuple[LayerId, ...]
    toolbox: LayerId


class LayerSource(Protocol):
    """Something that can make one layer: the base root filesystem, the toolbox."""

    async def ensure(self, provider: SandboxProvider, say: Progress) -> LayerId:
        """The layer, made where the provider has it not. Raises SandboxError."""


class OneAtATime:
    """Lets one caller at a time make the layer of an id; the others wait and then find it made."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[LayerId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def making(self, layer: LayerId) -> AsyncIterator[None]:
        """Hold the making of a layer."""
        lock = self._locks.setdefault(layer, asyncio.Lock())
        async with lock:
            yield


class Images:
    """Makes images, each layer once however many ask for it.

    Bottom to top: the base, the packages, and the settings of package clients (mirrors, proxy, certificate
    authorities). The settings come last and are no part of the packages' key, so that another proxy rebuilds nothing.
    """

    def __init__(self, sandboxes: CleanSandboxes, base: LayerSource, toolbox: LayerSource) -> None:
        self._sandboxes = sandboxes
        self._base = base
        self._toolbox = toolbox
        self._makers = OneAtATime()

    async def prepare(self, packages: tuple[str, ...], say: Progress) -> Image:
        """The image with these Debian packages, built where it is missing. Raises SandboxError with the last lines
        of what went wrong."""
        base = await self._ensure("base", self._base, say)
        toolbox = await self._ensure("toolbox", self._toolbox, say)
        clients = await self._client_settings()
        if not packages:
            return Image((base, *clients), toolbox)
        layer = layer_id("packages", base, *sorted(set(packages)))
        async with self._makers.making(layer):
            if not await self._sandboxes.provider.has_layer(layer):
                await self._install((base, *clients), layer, packages, say)
        return Image((base, layer, *clients), toolbox)

    async def _ensure(self, name: str, source: LayerSource, say: Progress) -> LayerId:
        async with self._makers.making(LayerId(name)):
            return await source.ensure(self._sandboxes.provider, say)

    async def _client_settings(self) -> tuple[LayerId, ...]:
        """The layer with the broker's files for package clients; nothing where it has none."""
        files = self._sandboxes.broker.guest_files()
        if not files:
            return ()
        tar = await asyncio.to_thread(tar_of, files)
        layer = layer_id("clients", hashlib.sha256(tar).hexdigest())
        async with self._makers.making(layer):
            if not await self._sandboxes.provider.has_layer(layer):
                with tempfile.TemporaryDirectory(prefix="outrider-clients-") as folder:
                    path = Path(folder, "clients.tar")
                    await asyncio.to_thread(path.write_bytes, tar)
                    await self._sandboxes.provider.add_layer(layer, path)
        return (layer,)

    async def _install(
        self, below: tuple[LayerId, ...], layer: LayerId, packages: tuple[str, ...], say: Progress
    ) -> None:
        say(f"Installing Debian packages: {', '.join(packages)}.")
        spec = CleanSpec("an image", below, role=GuestRole.BUILD)
        async with self._sandboxes.open(spec, say) as handle:
            async with self._sandboxes.connect(handle, DoorSpec(owner=layer, egress=True)) as guest:
                await self._run_apt(guest, packages)
            await self._sandboxes.provider.freeze(handle, layer)

    async def _run_apt(self, guest: Guest, packages: tuple[str, ...]) -> None:
        env = self._sandboxes.broker.guest_environment()
        spec = ExecSpec(argv=["sh", "-c", _INSTALL, "sh", *packages], cwd="/", env=env)
        result = await guest.run(spec, timeout_seconds=INSTALL_SECONDS, output_limit=LOG_BYTES)
        if result.exit_code == 0 and not result.timed_out:
            return
        lines = result.output.decode(errors="replace").strip().splitlines()[-LAST_LINES:]
        why = f"took longer than {INSTALL_SECONDS:.0f} s" if result.timed_out else f"ended with {result.exit_code}"
        raise SandboxError(
            f"The Debian packages could not be installed: apt-get {why}: {' / '.join(lines)}",
            "Check the names under `packages` in outrider.toml, and whether this machine reaches its Debian mirror.",
        )


def layer_id(kind: str, *parts: str) -> LayerId:
    """The id of the layer that these parts make: the same parts, the same layer."""
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return LayerId(f"{kind}-{base64.b32encode(digest).decode().lower()[:26]}")


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A tar of files by absolute path, owned by guest root. The same files make the same tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(content)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
