"""A real deployment for a benchmark: the server as a child process, its sandboxes, in a home that is thrown away."""

import asyncio
import fcntl
import os
import resource
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from outrider.app.home import Home
from outrider.model.errors import Refused
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.session.policy import Policy
from tests.e2e.deployment import Deployment

STATE = Path(__file__).resolve().parents[1] / ".state" / "bench" / f"uid-{os.geteuid()}" / "sandboxes"
"""Layers are kept between runs. The benchmarks' own: a deployment ends sandboxes that it does not know."""

WIRE_SECONDS = 30
AWAKE = Policy().awake_sessions


def more_files() -> int:
    """Let this process and its children have as many open files as the machine allows without being asked. How many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@contextmanager
def fresh_home() -> Iterator[Path]:
    """An empty home."""
    with tempfile.TemporaryDirectory(prefix="bench-home-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@asynccontextmanager
async def serving_home(home: Path, **variables: str) -> AsyncIterator[Deployment]:
    """The real server in this home, as a child process."""
    deployment = Deployment(Home(home), variables)
    try:
        await deployment.start()
        yield deployment
    finally:
        await deployment.stop()


@asynccontextmanager
async def feed_server(home: Path, awake: int = AWAKE) -> AsyncIterator[Deployment]:
    """The real server with a wire to it, over which events are published: see `benchmarks.feed_server`. So many
    sessions at rest stay awake."""
    (home / "wire").unlink(missing_ok=True)
    (home / "sessions").mkdir(exist_ok=True)
    deployment = Deployment(Home(home), program="benchmarks.feed_server:main", arguments=(str(awake),))
    try:
        await deployment.start()
        async with asyncio.timeout(WIRE_SECONDS):
            while not (home / "wire").exists():  # noqa: ASYNC110 -- another process makes it
                await asyncio.sleep(0.05)
        yield deployment
    finally:
        await deployment.stop()


@asynccontextmanager
async def with_sandboxes(home: Path) -> AsyncIterator[None]:
    """Give the home the kept layers. Its sandboxes are gone afterwards. Raises Refused where another run has them."""
    STATE.mkdir(parents=True, exist_ok=True)
    (home / "sandboxes").symlink_to(STATE)
    with STATE.with_name("lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("Another run of the benchmarks has the sandboxes.", "Wait for it.") from error
        try:
            yield
        finally:
            await _destroy_sandboxes()


async def _destroy_sandboxes() -> None:
    provider = NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())
    for info in await provider.list({}):
        await provider.destroy(info.handle)
