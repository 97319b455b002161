"""The web client: its packages, and the page that the server hands out."""

from collections.abc import Iterator
from pathlib import Path

from setup_steps.step import ROOT, Step, digest, put_stamp, run, stamped

CLIENTS = ROOT / "clients"
PAGE = ROOT / "src/outrider/api/static/index.html"
NPM = ROOT / "scripts" / "npm"
LEFT_OUT = {"node_modules", "dist"}


def packages() -> Step:
    """What package-lock.json names."""
    return Step(
        title="Web packages",
        why="The web page is built with them.",
        takes="About 30 s, with a download of 60 MB.",
        missing=lambda: (
            "" if (CLIENTS / "node_modules").is_dir() and stamped("web-packages", _lock()) else "node_modules"
        ),
        do=_install,
    )


def build() -> Step:
    """The page itself."""
    return Step(
        title="Web page",
        why="The server hands it out; at run time no node is needed for it.",
        takes="About 10 s.",
        missing=lambda: "" if PAGE.exists() and stamped("web-page", digest(_sources())) else "to be built",
        do=_build,
    )


def _lock() -> str:
    return digest([CLIENTS / "package-lock.json"])


def _sources() -> Iterator[Path]:
    """Every file that the page is made from."""
    waiting = [CLIENTS]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.is_dir() and path.name not in LEFT_OUT and not path.is_symlink():
                waiting.append(path)
            elif path.is_file():
                yield path


def _install() -> None:
    # Not `ci`: it refuses a lock file that lacks another platform's optional packages, and registries that mirror only
    # some platforms are common. What the lock names is checked against its hashes all the same.
    run([NPM, "install", "--no-save", "--no-progress"])
    put_stamp("web-packages", _lock())


def _build() -> None:
    run([NPM, "run", "build"])
    put_stamp("web-page", digest(_sources()))
