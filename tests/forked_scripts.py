"""Scripts that use a provider of sandboxes, each in a process that has read the provider's code already."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest

import outrider.sandboxes.docker.provider
import outrider.sandboxes.namespaces.provider  # noqa: F401 - both are to be read before the first fork
from tests.forks import Forked, Forks, forks

END_SECONDS = 30.0


@dataclass
class Script:
    """One that runs, and what it prints."""

    process: Forked
    stdout: TextIO

    def kill(self) -> None:
        """At once."""
        self.process.send_signal(signal.SIGKILL)


@dataclass
class Scripts:
    """Runs them."""

    forks: Forks

    @contextmanager
    def run(self, source: str, *arguments: str) -> Iterator[Script]:
        """As `python -c source arguments...`, killed in the end."""
        read, write = os.pipe()
        with Path(os.devnull).open("rb") as nothing, os.fdopen(write, "wb") as output:
            files = (nothing, output, sys.__stderr__.buffer)
            process = self.forks.fork(f"{__name__}:main", [source, *arguments], os.environ, files)
        with os.fdopen(read) as stdout:
            script = Script(process, stdout)
            try:
                yield script
            finally:
                script.kill()
                process.wait(END_SECONDS)


@pytest.fixture(scope="session")
def scripts() -> Iterator[Scripts]:
    """One process forks for all tests."""
    with forks([__name__]) as made:
        yield Scripts(made)


def main() -> None:
    """In the fork."""
    exec(compile(sys.argv.pop(1), "-c", "exec"), {"__name__": "__main__"})
