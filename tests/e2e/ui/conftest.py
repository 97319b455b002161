"""The built page in a real browser, served with recorded sessions."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, async_playwright

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = Path("/usr/bin/chromium")
LETTERS = 20
"""Typed at once: each time the page is drawn anew."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def preview(**options: bool) -> Iterator[str]:
    """Serve recorded sessions from a thread of this process, which has read the code already; gives the address."""
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as listener:
        patch.syspath_prepend(ROOT / "scripts")
        app = FastAPI()
        import_module("web_preview").Preview(**options, letters=LETTERS).routes(app)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def pages() -> Iterator[str]:
    """A server with three sessions."""
    with preview() as address:
        yield address


@pytest.fixture(scope="session")
def empty_pages() -> Iterator[str]:
    """A server without a session, that only has the rehearsal model."""
    with preview(empty=True) as address:
        yield address


@pytest.fixture(scope="session")
def locked_pages() -> Iterator[str]:
    """A server that nobody is logged in to."""
    with preview(logged_out=True) as address:
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
