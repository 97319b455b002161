"""The built page in a real browser, served with recorded sessions."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = Path("/usr/bin/chromium")
START_SECONDS = 30
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def preview(*options: str) -> Iterator[str]:
    """Run the preview server; gives its address."""
    port = free_port()
    script = ROOT / "scripts" / "web_preview.py"
    process = subprocess.Popen([sys.executable, str(script), "--port", str(port), "--minutes", "10", *options])
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A port of the loopback that nobody has at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    """Until the server answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "the preview server ended"
        try:
            with urllib.request.urlopen(f"{address}/api/sessions", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the preview server did not answer within {START_SECONDS} s")


@pytest.fixture(scope="session")
def pages() -> Iterator[str]:
    """A server with three sessions."""
    with preview() as address:
        yield address


@pytest.fixture(scope="session")
def empty_pages() -> Iterator[str]:
    """A server without a session, that only has the rehearsal model."""
    with preview("--empty") as address:
        yield address


@pytest.fixture(scope="session")
def locked_pages() -> Iterator[str]:
    """A server that nobody is logged in to."""
    with preview("--logged-out") as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, without a window: one for all tests of a module, as it takes a second to begin."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def browser(open_browser: Browser) -> AsyncIterator[Browser]:
    """A browser that knows nothing: what a test opened in it is closed with the test."""
    yield open_browser
    for context in open_browser.contexts:
        await context.close()


@pytest.fixture
def keep(request: pytest.FixtureRequest, artifacts: Path) -> Callable[[str], Path]:
    """Where a screenshot of this test is kept."""
    del request
    folder = artifacts / "pages"
    folder.mkdir(exist_ok=True)
    return lambda name: folder / f"{name}.png"
