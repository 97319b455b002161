"""What comes from the machine itself: Debian's packages, the ids that sandboxes run under, Ubuntu's permission."""

import ctypes.util
import getpass
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from setup_steps.step import ROOT, STATE, SetupError, Step, run

PROGRAMS = {
    "git": "git",
    "bwrap": "bubblewrap",
    "newuidmap": "uidmap",
    "mmdebstrap": "mmdebstrap",
}
"""Program to look for, and the package that has it."""

TEST_PROGRAMS = {"chromium": "chromium", "rg": "ripgrep", "patch": "patch", "socat": "socat", "skopeo": "skopeo"}

LIBRARIES = {"seccomp": "libseccomp2"}
"""Library to look for, and the package that has it."""

TEST_LIBRARIES = {"atomic": "libatomic1"}
"""What drives the browser is linked with it."""

SUBORDINATE_IDS = 65_536
"""A sandbox has all the ids that Debian's packages use, none of which owns anything outside."""

ID_TABLES = (Path("/etc/subuid"), Path("/etc/subgid"))

RESTRICTION = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
PROFILE = Path("/etc/apparmor.d/outrider")


def packages(*, tests: bool) -> Step:
    """Debian's packages."""
    return Step(
        title="Debian packages",
        why="Sandboxes are made with them.",
        takes="About 20 s, with a download of 5 MB; what the tests need, a browser above all, adds 110 MB.",
        missing=lambda: " ".join(_lacking(tests=tests)),
        do=lambda: _install(_lacking(tests=tests)),
    )


def subordinate_ids() -> Step:
    """A range of ids for a plain user."""
    return Step(
        title="Subordinate ids",
        why="Sandboxes run as ids that own nothing on this machine.",
        takes="A moment.",
        missing=lambda: "" if _has_subordinate_ids() else f"{getpass.getuser()} has no {SUBORDINATE_IDS} ids",
        do=_add_subordinate_ids,
    )


def apparmor() -> Step:
    """Ubuntu 24.04 refuses user namespaces to programs without a profile."""
    return Step(
        title="AppArmor profile",
        why="This system lets only programs with a profile make user namespaces, which sandboxes are.",
        takes="A moment.",
        missing=lambda: f"{PROFILE} for the Python of this clone" if userns_are_restricted() and not _allowed() else "",
        do=_install_profile,
    )


def userns_are_restricted() -> bool:
    """Whether this system asks for an AppArmor profile, of a plain user."""
    return os.geteuid() != 0 and RESTRICTION.is_file() and RESTRICTION.read_text().strip() == "1"


def _lacking(*, tests: bool) -> list[str]:
    programs = {**PROGRAMS, **(TEST_PROGRAMS if tests else {})}
    libraries = {**LIBRARIES, **(TEST_LIBRARIES if tests else {})}
    lacking = [package for program, package in programs.items() if not shutil.which(program, path=_path())]
    lacking += [package for library, package in libraries.items() if not ctypes.util.find_library(library)]
    if importlib.util.find_spec("ensurepip") is None:
        lacking.append("python3-venv")
    if not Path("/etc/ssl/certs/ca-certificates.crt").exists():
        lacking.append("ca-certificates")
    return lacking


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


def _install(names: list[str]) -> None:
    if not shutil.which("apt-get"):
        raise SetupError(f"This is not a Debian. Install by its own means what these packages hold: {' '.join(names)}")
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
    become = _become(f"apt-get update && sudo {' '.join(install)}")
    quiet = [*become, "env", "DEBIAN_FRONTEND=noninteractive"]
    if not _is_known(names):
        run([*quiet, "apt-get", "update", "-q"])
    try:
        run([*quiet, *install])
    except SetupError:
        # Lists of packages grow old: the version that they name may be gone from the mirror.
        run([*quiet, "apt-get", "update", "-q"])
        run([*quiet, *install])


def _is_known(names: list[str]) -> bool:
    trial = ["apt-get", "install", "--simulate", "-q", "--no-install-recommends", *names]
    return subprocess.run(trial, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0


def _become(line: str) -> list[str]:
    """What to put before a command so that root runs it. Raises SetupError with the line to run as neither."""
    if os.geteuid() == 0:
        return []
    may = ["sudo", "-n", "true"]
    if shutil.which("sudo") and subprocess.run(may, capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    raise SetupError(f"This needs root, and sudo would ask for a password. Run this line, then go on:\n\n  sudo {line}")


def _has_subordinate_ids() -> bool:
    if os.geteuid() == 0:
        return True
    return all(has_range(table) for table in ID_TABLES)


def has_range(table: Path) -> bool:
    """Whether the table gives us enough ids, by name or number."""
    names = {getpass.getuser(), str(os.getuid())}
    lines = table.read_text().splitlines() if table.is_file() else []
    ranges = [line.split(":") for line in lines if line.count(":") == 2]
    return any(name in names and count.isdigit() and int(count) >= SUBORDINATE_IDS for name, _, count in ranges)


def _add_subordinate_ids() -> None:
    first = first_free_id(*ID_TABLES)
    both = f"{first}-{first + SUBORDINATE_IDS - 1}"
    command = ["usermod", "--add-subuids", both, "--add-subgids", both, getpass.getuser()]
    run([*_become(" ".join(command)), *command])


def first_free_id(*tables: Path) -> int:
    """After every range that somebody has, and not below where useradd begins."""
    first = 100_000
    for table in tables:
        for line in table.read_text().splitlines() if table.is_file() else ():
            _, start, count = [*line.split(":"), "", ""][:3]
            if start.isdigit() and count.isdigit():
                first = max(first, int(start) + int(count))
    return first


def _profile() -> str:
    return (
        "abi <abi/4.0>,\ninclude <tunables/global>\n\n"
        f'profile outrider "{ROOT}/.venv/bin/python3*" flags=(unconfined) {{\n  userns,\n}}\n'
    )


def _allowed() -> bool:
    return PROFILE.is_file() and PROFILE.read_text() == _profile()


def _install_profile() -> None:
    STATE.mkdir(exist_ok=True)
    draft = STATE / "apparmor-profile"
    draft.write_text(_profile())
    copy, load = ["cp", str(draft), str(PROFILE)], ["apparmor_parser", "-r", str(PROFILE)]
    become = _become(f"{' '.join(copy)} && sudo {' '.join(load)}")
    run([*become, *copy])
    run([*become, *load])
