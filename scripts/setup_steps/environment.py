"""The Python environment: uv, by pip, in a folder of its own; then everything that uv.lock names, in `.venv`."""

import os
import subprocess
import sys
import venv

from setup_steps.debian import userns_are_restricted
from setup_steps.step import ROOT, STATE, Step, digest, put_stamp, run, stamped

UV = "uv==0.13.9"
TOOLS = STATE / "tools"
"""Where uv lives: not in `.venv`, which it keeps free of everything that the lock file does not name."""

PYTHON = ROOT / ".venv" / "bin" / "python"
STAMP = "python-packages"


def installer() -> Step:
    """uv."""
    return Step(
        title="uv",
        why="It installs exactly the Python packages that uv.lock names.",
        takes="About 5 s, with a download of 20 MB.",
        missing=lambda: "" if stamped("uv", UV) and (TOOLS / "bin/uv").exists() else UV,
        do=_install_uv,
    )


def packages() -> Step:
    """The packages of the lock file, node among them."""
    return Step(
        title="Python packages",
        why="The server, the sandbox driver, and node for the web page and the engine, all below .venv.",
        takes="About 30 s, with a download of 150 MB.",
        missing=lambda: "" if PYTHON.exists() and stamped(STAMP, _wanted()) else "what uv.lock names",
        do=_install_packages,
    )


def _wanted() -> str:
    return digest([ROOT / "pyproject.toml", ROOT / "uv.lock"], sys.version, str(ROOT))


def _install_uv() -> None:
    venv.create(TOOLS, clear=True, with_pip=True, symlinks=True)
    run([TOOLS / "bin/python", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", UV])
    put_stamp("uv", UV)


def _install_packages() -> None:
    env = {"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never", "UV_HTTP_TIMEOUT": "180", **index_settings()}
    if userns_are_restricted() and (ROOT / ".venv/bin/python3").is_symlink() | (not PYTHON.exists()):
        # The AppArmor profile names a program by its real path: a link would stand for every Python of the machine.
        venv.create(ROOT / ".venv", clear=True, with_pip=False, symlinks=False)
        env["UV_PYTHON"] = str(PYTHON)
    uv = str(TOOLS / "bin/uv")
    if "UV_DEFAULT_INDEX" in {**os.environ, **env}:
        _install_from_mirror(uv, env)
    else:
        run([uv, "sync", "--frozen", "--no-progress"], env=env)
    put_stamp(STAMP, _wanted())


def _install_from_mirror(uv: str, env: dict[str, str]) -> None:
    """The same versions and hashes through the machine's own index: the lock file's addresses are of PyPI itself."""
    wanted = str(STATE / "requirements.txt")
    if not PYTHON.exists():
        run([uv, "venv", "--no-progress", str(ROOT / ".venv")], env=env)
    env = {**env, "UV_PYTHON": str(PYTHON)}
    run([uv, "export", "--frozen", "--quiet", "--no-emit-project", "--output-file", wanted], env=env)
    run([uv, "pip", "sync", "--require-hashes", "--no-progress", wanted], env=env)
    run([uv, "pip", "install", "--no-deps", "--no-progress", "--editable", str(ROOT)], env=env)


def index_settings() -> dict[str, str]:
    """pip's settings for this machine in uv's words, which does not read pip's. What is set for uv itself wins."""
    told = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "proxy": "ALL_PROXY"}
    settings = _pip_settings()
    return {name: settings[key] for key, name in told.items() if key in settings and name not in os.environ}


def _pip_settings() -> dict[str, str]:
    """What `pip config list` says, whatever file or variable it comes from; a variable wins over a file."""
    listed = subprocess.run(
        [TOOLS / "bin/python", "-m", "pip", "--disable-pip-version-check", "config", "list"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    found: dict[str, str] = {}
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        found[name.rpartition(".")[2]] = value.strip("'\"")
    return {key: value for key, value in found.items() if value}
