"""The programs of the machine that Outrider runs, each really run for its version."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from outrider.cli.finding import Finding, State
from outrider.fleet.images.foreign_base import PROGRAM as SKOPEO

PROGRAM_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the machine, and the Debian package that has it. One without an option for its version is run
    without arguments and says how it is used; the package then tells the version."""

    name: str
    package: str
    version: tuple[str, ...] = ("--version",)
    only_for: str = ""
    """What it is needed for, where Outrider works without it."""


NEEDED = (
    Program("git", "git"),
    Program("bwrap", "bubblewrap"),
    Program("mmdebstrap", "mmdebstrap"),
)
NEWUIDMAP = Program("newuidmap", "uidmap", version=())
"""A plain user needs it to write a map of ids; root writes it itself."""
OPTIONAL = (Program(SKOPEO, "skopeo", only_for="recipes with an OCI `image`"),)


def programs() -> tuple[Program, ...]:
    """Those that matter to whoever runs this."""
    return (*NEEDED, *(() if os.geteuid() == 0 else (NEWUIDMAP,)), *OPTIONAL)


def look_at(program: Program) -> Finding:
    """Find it and run it. Blocks for up to twice `PROGRAM_SECONDS`."""
    path = shutil.which(program.name)
    install = f"Run: sudo apt-get install -y {program.package}"
    if path is None and program.only_for:
        return Finding(program.name, State.ABSENT, f"is not installed; only {program.only_for} need it", install)
    if path is None:
        return Finding(program.name, State.BROKEN, "is not installed", install)
    try:
        done = _run(path, *program.version)
        version = _first_line(done.stdout) if program.version else _version_of(program)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(program.name, State.BROKEN, f"{path} does not run: {error}", "Install it again.")
    runs = done.returncode == 0 if program.version else "usage" in (done.stdout + done.stderr).lower()
    if not runs:
        said = _first_line(done.stderr) or f"exit code {done.returncode}"
        return Finding(program.name, State.BROKEN, f"{path} does not run: {said}", "Install it again.")
    return Finding(program.name, State.WORKS, f"{version} ({path})")


def _version_of(program: Program) -> str:
    """As Debian's package manager knows it; the bare name where there is none."""
    try:
        told = _run("dpkg-query", "--show", "--showformat=${Version}", program.package)
    except OSError:
        return program.package
    return f"{program.package} {_first_line(told.stdout)}".strip()


def _run(*argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PROGRAM_SECONDS,
        check=False,
    )


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")
