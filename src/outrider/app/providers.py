"""Which kind of sandboxes this deployment has: one line a provider, and how `auto` chooses among them.

To add a provider, add its line; to be without one, delete its folder and its line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from outrider.model.sandbox import ProbeReport
from outrider.ports.clock import Clock
from outrider.ports.sandbox import SandboxProvider
from outrider.sandboxes.docker.probe import GVISOR
from outrider.sandboxes.docker.provider import DockerProvider
from outrider.sandboxes.microsandbox.provider import MicrosandboxProvider
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.settings import Settings

AUTO = "auto"

Make = Callable[[Settings, Clock], SandboxProvider]


def _namespaces(settings: Settings, clock: Clock) -> SandboxProvider:
    return NamespaceProvider(settings.home / "sandboxes", clock, groups=find_cgroups())


def _docker(settings: Settings, clock: Clock, runtime: str | None = None) -> SandboxProvider:
    return DockerProvider(settings.home / "docker", clock, socket=settings.docker_socket, runtime=runtime)


def _docker_with_gvisor(settings: Settings, clock: Clock) -> SandboxProvider:
    return _docker(settings, clock, GVISOR)


def _microsandbox(settings: Settings, clock: Clock) -> SandboxProvider:
    return MicrosandboxProvider(settings.home / "microsandbox", clock)


PROVIDERS: Mapping[str, Make] = {
    "namespaces": _namespaces,
    "docker": _docker,
    "microsandbox": _microsandbox,
}
"""Every provider by the name that `OUTRIDER_SANDBOX` has for it."""

STRONGEST_FIRST: tuple[tuple[str, Make], ...] = (
    ("microsandbox", _microsandbox),
    ("docker", _docker_with_gvisor),
    ("namespaces", _namespaces),
    ("docker", _docker),
)
"""What `auto` tries, in this order: kernels of their own first; of those that share one, `namespaces` is faster, and
its guest's root is nobody on the machine."""

FALLBACK = "namespaces"
"""What needs nothing but the machine: where no provider works, its report says why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The provider of a deployment, and what its probe found. It may be one that does not work: then the report says
    why, and sessions wait for it to be mended."""

    provider: SandboxProvider
    report: ProbeReport


async def choose_provider(
    settings: Settings, clock: Clock, candidates: Sequence[tuple[str, Make]] = STRONGEST_FIRST
) -> Choice:
    """The provider that is set; with `auto` the strongest whose probe passes. A home stays with the provider that
    `auto` chose first for as long as it works: its sessions' files are there."""
    if settings.sandbox != AUTO:
        provider = PROVIDERS[settings.sandbox](settings, clock)
        return Choice(provider, await provider.probe())
    memory = settings.home / "provider"
    remembered = memory.read_text().strip() if memory.exists() else ""
    tried: list[Choice] = []
    for _, make in sorted(candidates, key=lambda row: row[0] != remembered):
        provider = make(settings, clock)
        tried.append(Choice(provider, await provider.probe()))
        if tried[-1].report.works:
            if not remembered and settings.home.is_dir():
                memory.write_text(f"{provider.name}\n")
            return tried[-1]
    return next((choice for choice in tried if choice.provider.name == FALLBACK), tried[-1])


async def probe_providers(settings: Settings, clock: Clock, *, but: Choice) -> list[ProbeReport]:
    """What each provider but the chosen one can do on this machine, for the doctor."""
    others = [make for name, make in PROVIDERS.items() if name != but.provider.name]
    return [await make(settings, clock).probe() for make in others]
