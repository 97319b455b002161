"""Machine images: the layers below every repository. Base first, then the Debian packages that a recipe asks for."""

import asyncio
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from outrider.fleet.clean import CleanSandboxes, CleanSpec
from outrider.fleet.commands import Progress
from outrider.fleet.images.layers import OneAtATime, layer_id, tar_of
from outrider.model.egress import EgressPolicy
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.model.image import MachineWants
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

    async def prepare(self, wants: MachineWants, say: Progress) -> Image:
        """The image that a recipe wants, built where it is missing. Raises SandboxError with the last lines of what
        went wrong."""
        packages = wants.packages
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
            async with self._sandboxes.connect(handle, DoorSpec(owner=layer, egress=EgressPolicy())) as guest:
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
