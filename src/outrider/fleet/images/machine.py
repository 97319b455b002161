"""Machine images: the layers below every repository. The base first, then stacks, then what a recipe has run as root,
then the Debian packages that it asks for."""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.commands import Progress
from outrider.fleet.images.foreign_base import APT_SOURCES, Foreign, ForeignBases
from outrider.fleet.images.layer_build import LayerBuild, build_layer
from outrider.fleet.images.layers import OneAtATime, layer_id, tar_of
from outrider.fleet.images.stacks import Ground, ensure_stacks
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.model.image import BuildStep, MachineWants
from outrider.ports.sandbox import SandboxProvider

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
    notice: str = ""
    """What a person should know about it: that it is not on the base that was found."""


class LayerSource(Protocol):
    """Something that can make one layer: the base root filesystem, the toolbox."""

    async def ensure(self, provider: SandboxProvider, say: Progress) -> LayerId:
        """The layer, made where the provider has it not. Raises SandboxError."""


class Images:
    """Makes images, each layer once however many ask for it.

    Bottom to top: the base, stacks, steps, packages, and the settings of package clients (mirrors, proxy, certificate
    authorities). The settings come last and are no part of any other layer's key, so that another proxy rebuilds
    nothing.
    """

    def __init__(
        self,
        sandboxes: CleanSandboxes,
        base: LayerSource,
        toolbox: LayerSource,
        foreign: ForeignBases | None = None,
    ) -> None:
        self._foreign = foreign or ForeignBases(Path("/nonexistent"))
        self._sandboxes = sandboxes
        self._base = base
        self._toolbox = toolbox
        self._makers = OneAtATime()
        self._given_up: dict[str, SandboxError] = {}
        """Found bases that could not be made: not tried again, since each try may wait for the network."""

    async def prepare(self, wants: MachineWants, say: Progress) -> Image:
        """The image that a recipe wants, built where it is missing. Raises SandboxError with the last lines of what
        went wrong."""
        ours = await self._ensure("base", self._base, say)
        toolbox = await self._ensure("toolbox", self._toolbox, say)
        files = dict(self._sandboxes.broker.guest_files())
        if wants.base is not None:
            sources = files.pop(APT_SOURCES, b"").decode()
            clients = await self._client_settings(files)
            foreign = Foreign(self._sandboxes, ours, clients, sources)
            try:
                if wants.or_ours and wants.base in self._given_up:
                    raise self._given_up[wants.base]
                base = await self._foreign.ensure(wants.base, foreign, say)
                return await self._above(Ground(base, clients, toolbox, self._makers), wants, say)
            except SandboxError as error:
                if not wants.or_ours:
                    raise
                self._given_up[wants.base] = error
                instead = wants.model_copy(update={"base": None, "steps": ()})
                image = await self.prepare(instead, say)
                return replace(image, notice=f"The sandbox is on Outrider's own base: {error}")
        clients = await self._client_settings(files)
        return await self._above(Ground((ours,), clients, toolbox, self._makers), wants, say)

    async def _above(self, ground: Ground, wants: MachineWants, say: Progress) -> Image:
        layers = (*ground.base, *await ensure_stacks(self._sandboxes, wants.stacks, ground, say))
        for step in wants.steps:
            layers = (*layers, await self._layer(_step_build(step, layers), layers, ground.clients, say))
        if wants.packages:
            build = _package_build(wants.packages, layers)
            layers = (*layers, await self._layer(build, layers, ground.clients, say))
        return Image((*layers, *ground.clients), ground.toolbox)

    async def _layer(
        self, build: LayerBuild, below: tuple[LayerId, ...], clients: tuple[LayerId, ...], say: Progress
    ) -> LayerId:
        async with self._makers.making(build.layer):
            if not await self._sandboxes.has_layer(build.layer):
                say(build.say)
                await build_layer(self._sandboxes, build, (*below, *clients), say)
        return build.layer

    async def _ensure(self, name: str, source: LayerSource, say: Progress) -> LayerId:
        async with self._makers.making(LayerId(name)):
            return await source.ensure(self._sandboxes.provider, say)

    async def _client_settings(self, files: Mapping[str, bytes]) -> tuple[LayerId, ...]:
        """The layer with the broker's files for package clients; nothing where it has none."""
        if not files:
            return ()
        tar = await asyncio.to_thread(tar_of, files)
        layer = layer_id("clients", hashlib.sha256(tar).hexdigest())
        async with self._makers.making(layer):
            if not await self._sandboxes.has_layer(layer):
                with tempfile.TemporaryDirectory(prefix="outrider-clients-") as folder:
                    path = Path(folder, "clients.tar")
                    await asyncio.to_thread(path.write_bytes, tar)
                    await self._sandboxes.provider.add_layer(layer, path)
        return (layer,)


def _step_build(step: BuildStep, below: tuple[LayerId, ...]) -> LayerBuild:
    environment = json.dumps(dict(step.environment), sort_keys=True)
    return LayerBuild(
        layer_id("step", *below, step.command, step.cwd, environment),
        # The shell of a Dockerfile's RUN, in the folder that its WORKDIR makes.
        'mkdir -p "$1" && cd "$1" && exec sh -c "$2"',
        f"{step.origin} failed",
        "Mend the command, or say in outrider.toml how the image is made.",
        (step.cwd, step.command),
        environment=step.environment,
        say=f"{step.origin}: {step.command}",
    )


def _package_build(packages: tuple[str, ...], below: tuple[LayerId, ...]) -> LayerBuild:
    return LayerBuild(
        layer_id("packages", *below, *sorted(set(packages))),
        _INSTALL,
        "The Debian packages could not be installed",
        "Check the names under `packages` in outrider.toml, and whether this machine reaches its Debian mirror.",
        packages,
        say=f"Installing Debian packages: {', '.join(packages)}.",
    )
