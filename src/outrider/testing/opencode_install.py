"""Where the tests' own OpenCode stands: the version of the profile, from npm, kept below `.state/test`."""

import subprocess
from functools import cache
from pathlib import Path

from outrider.engines.profiles.opencode import VERSION

_ROOT = Path(__file__).parents[3]
_FOLDER = _ROOT / ".state" / "test" / "npm"
_NPM = _ROOT / "scripts" / "npm"
_PACKAGE = "opencode-linux-x64"


@cache
def opencode_binary() -> Path:
    """The program, installed once."""
    binary = _FOLDER / "node_modules" / _PACKAGE / "bin" / "opencode"
    if not binary.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        command = (str(_NPM), "install", "--prefix", str(_FOLDER), f"{_PACKAGE}@{VERSION}")
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    return binary
