"""Every page, in four sizes and both colours: nothing is logged, nothing runs over, nothing is out of reach."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.ui.conftest import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

AXE = ROOT / "clients" / "node_modules" / "axe-core" / "axe.min.js"
FAULTS = """axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] }).then(
  found => found.violations.map(fault => `${fault.id}: ${fault.nodes[0].html.slice(0, 160)}`))"""
SIZES = {"desk": (1440, 900), "laptop": (1280, 800), "tablet": (820, 1180), "phone": (390, 844)}
LOOKS = [("desk", "dark"), ("laptop", "light"), ("tablet", "light"), ("phone", "dark")]
LIVE = "/sessions/s-k4q7ab2xyz"
PATHS = {
    "home": "/",
    "live": LIVE,
    "red": "/sessions/s-redredred2",
    "rehearsal": "/sessions/s-rehearsal2",
    "pull": "/pulls/ledger/12",
    "pulls": "/pulls",
    "sandboxes": "/sandboxes",
    "join": "/join#abcdefghijklmnop",
    "nothing": "/no/such/page",
}


@dataclass
class Visit:
    """A page that is open, and what its console said."""

    page: Page
    complaints: list[str]

    async def goes_to(self, address: str) -> None:
        await self.page.goto(address)
        await expect(self.page.locator("h1").first).to_be_visible()
        await self.page.evaluate("document.fonts.ready.then(() => true)")

    async def is_wrong(self, size: str) -> list[str]:
        """What runs over, is out of somebody's reach, or was complained of by now."""
        width = await self.page.evaluate("document.documentElement.scrollWidth")
        over = [f"{width} pixels wide"] if width > SIZES[size][0] else []
        return over + await faults(self.page) + self.complaints


class Windows:
    """A window for each size and colours: a page in one that is open costs a third of one in a new one."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._open: dict[tuple[str, str], Visit] = {}

    async def visit(self, address: str, size: str = "laptop", colours: Any = "light") -> Visit:
        """Open a page as if it were the first; nothing is known of the pages before it."""
        visited = self._open.get((size, colours))
        if visited is None:
            visited = self._open[size, colours] = await self._window(size, colours)
        else:
            await visited.page.evaluate("localStorage.clear(), sessionStorage.clear()")
            await visited.page.mouse.move(0, 0)
        visited.complaints.clear()
        await visited.goes_to(address)
        return visited

    async def _window(self, size: str, colours: Any) -> Visit:
        width, height = SIZES[size]
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=colours,
            reduced_motion="reduce",
            has_touch=size == "phone",
            is_mobile=size == "phone",
        )
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return Visit(page, complaints)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def windows(open_browser: Browser) -> Windows:
    return Windows(open_browser)


async def faults(page: Page) -> list[str]:
    """What axe finds wrong for people who do not see, or do not use a mouse."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = await page.evaluate(FAULTS)
    return found


@pytest.mark.parametrize(("size", "colours"), LOOKS)
async def test_every_page_is_whole(
    windows: Windows, pages: str, keep: Callable[[str], Path], size: str, colours: str
) -> None:
    wrong = {}
    for name, path in PATHS.items():
        visited = await windows.visit(pages + path, size, colours)
        if name == "live":
            await expect(visited.page.get_by_text("bank's by a cent")).to_be_visible()
        await visited.page.screenshot(path=keep(f"{name}-{size}-{colours}"))
        wrong[name] = await visited.is_wrong(size)
    assert wrong == {name: [] for name in PATHS}


async def test_without_a_session_the_page_teaches(
    windows: Windows, empty_pages: str, keep: Callable[[str], Path]
) -> None:
    page = (await windows.visit(empty_pages)).page
    await expect(page.get_by_text("Say what you want")).to_be_visible()
    await expect(page.get_by_text("Rehearsal: a script answers, no model is asked.").last).to_be_visible()
    await page.screenshot(path=keep("empty"))
    await page.get_by_role("button", name="Fill in the demo").click()
    await expect(page.get_by_label("What should be done?")).to_have_value("Find the cent that is lost.")
    assert await faults(page) == []


async def test_without_a_login_there_is_only_the_way_to_one(windows: Windows, locked_pages: str) -> None:
    page = (await windows.visit(locked_pages + LIVE)).page
    await expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()
    await expect(page.get_by_text("outrider login")).to_be_visible()
    assert await faults(page) == []


async def test_evidence_opens_to_command_exit_code_commit_and_log(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + LIVE)).page
    card = page.get_by_role("complementary").get_by_role("region", name="Evidence")
    await card.get_by_role("button", name="tests").click()
    await expect(card.get_by_text("uv run pytest -q --junitxml=report.xml").first).to_be_visible()
    log = card.get_by_role("link", name="Whole log").first
    assert await log.get_attribute("href") == "/api/sessions/s-k4q7ab2xyz/artifacts/a-testsbaselog"
    assert await faults(page) == []


async def test_a_phone_shows_one_thing_at_a_time(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + LIVE, "phone")).page
    prompt = page.get_by_role("textbox", name="Prompt")
    evidence = page.get_by_text("Each run was made in a clean sandbox").locator("visible=true")
    await expect(prompt).to_be_visible()
    await expect(evidence).to_have_count(0)
    await page.get_by_role("tab", name="Evidence").locator("visible=true").click()
    await expect(evidence).to_have_count(1)
    await expect(prompt).to_be_hidden()


async def test_a_prompt_is_sent_by_keys_and_what_is_refused_is_said(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + LIVE)).page
    box = page.get_by_role("textbox", name="Prompt")
    await box.fill("one line")
    await box.press("Enter")
    await expect(box).to_have_value("one line\n")
    await box.press("Control+Enter")
    await expect(box).to_have_value("")
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("This is a preview.")


async def test_merging_asks_first_and_escape_leaves_it(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + PATHS["pull"])).page
    await page.get_by_role("button", name="Merge").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("The fix is proved")
    assert await faults(page) == []
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_sessions_are_chosen_and_put_away_by_keyboard(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + "/")).page
    rows = page.get_by_role("region", name="Sessions").get_by_role("listitem")
    pinned, live = (rows.filter(has_text=title) for title in ("Upgrade to Python 3.14", "Shares lose a cent"))
    await expect(rows.first).to_contain_text("Upgrade to Python 3.14")
    await page.get_by_label("State").select_option("Archived")
    await expect(page.get_by_text("No session is like that.")).to_be_visible()
    await page.get_by_label("State").select_option("At work")
    await expect(live).to_have_count(1)
    await expect(pinned).to_have_count(0)
    await live.get_by_role("link").focus()
    for _ in range(2):
        await page.keyboard.press("Tab")
    await expect(live.get_by_role("button", name="Archive")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Stop the turn and archive this session?")
    assert await faults(page) == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_title_is_edited_in_place(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + LIVE)).page
    await page.get_by_role("button", name="Rename").click()
    box = page.get_by_role("textbox", name="Title")
    await expect(box).to_be_focused()
    await box.fill("Cents")
    await box.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("This is a preview.")
    await box.press("Escape")
    await expect(page.get_by_role("heading", name="Shares lose a cent")).to_be_visible()


async def test_the_keyboard_reaches_the_content_first(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + "/")).page
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_visible()


async def test_the_keyboard_gets_past_the_other_sessions(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + LIVE, "desk")).page
    skip = page.get_by_role("link", name="Skip to the transcript")
    await skip.press("Enter")
    await page.keyboard.press("Tab")
    region = page.get_by_role("region", name="Transcript")
    assert await region.evaluate("region => region.contains(document.activeElement)")


async def test_the_chosen_colours_stay(windows: Windows, pages: str) -> None:
    page = (await windows.visit(pages + "/", colours="light")).page
    button = page.get_by_role("button", name="change")
    await button.click()
    await button.click()
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize(("size", "colours"), [("desk", "light"), ("phone", "dark")])
async def test_people_and_links_are_in_reach(
    windows: Windows, pages: str, keep: Callable[[str], Path], size: str, colours: str
) -> None:
    visited = await windows.visit(pages + LIVE, size, colours)
    page = visited.page
    await expect(page.get_by_role("list", name="Who is here")).to_be_visible()
    await page.get_by_role("tab", name="People").click()
    await page.get_by_role("button", name="Make a link").click()
    await expect(page.get_by_label("The link")).to_be_visible()
    await page.screenshot(path=keep(f"people-{size}-{colours}"))
    assert await visited.is_wrong(size) == []
