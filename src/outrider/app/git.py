"""Questions to the machine's own git, from where the person stands."""

import subprocess
from pathlib import Path

GIT_SECONDS = 60
"""A checkout of a million files on a slow disk is still answered."""


def ask_git(*arguments: str, folder: Path | None = None) -> str:
    """What git answers, empty where it does not know. The checkout's own settings may name programs to run and its
    owner may be another: neither is used, and nothing of it is written."""
    options = ["-C", str(folder), "-c", f"safe.directory={folder}"] if folder else []
    command = ["git", "--no-optional-locks", *options, "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
