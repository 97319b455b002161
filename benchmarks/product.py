"""A real deployment for a benchmark: the server as a child process, its sandboxes, in a home that is thrown away."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from outrider.app.home import Home
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from tests.e2e.deployment import Deployment

STATE = Path(__file__).resolve().parents[1] / ".state" / "bench" / f"uid-{os.geteuid()}" / "sandboxes"
"""Layers are kept between runs. The benchmarks' own: a deployment ends sandboxes that it does not know."""


@asynccontextmanager
async def product(prepare: Callable[[Path], None] = lambda _home: None, **variables: str) -> AsyncIterator[Deployment]:
    """A running deployment. `prepare` may put files into its home before it starts."""
    STATE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-home-") as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        (home / "sandboxes").symlink_to(STATE)
        prepare(home)
        deployment = Deployment(Home(home), variables)
        try:
            await deployment.start()
            yield deployment
        finally:
            await deployment.stop()
            await _destroy_sandboxes()


async def _destroy_sandboxes() -> None:
    provider = NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())
    for info in await provider.list({}):
        await provider.destroy(info.handle)
