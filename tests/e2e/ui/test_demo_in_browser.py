"""The main job once more, clicked through: log in by link, start the demo, watch it, look at the proof, merge."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.deployment import Deployment, make_repository
from tests.e2e.ui.together import invite, join, they_see_one_another, they_see_the_same

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox, pytest.mark.asyncio(loop_scope="module")]

TURN_MS = 180_000
FIXED_LINE = "return round(sum(line.price for line in self.lines), 2)"


async def log_in(browser: Browser, deployment: Deployment) -> Page:
    """By the link that the terminal prints."""
    async with deployment.client() as client:
        link = (await client.post("/api/login-links", json={})).json()["url"]
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(link)
    await expect(page.get_by_role("heading", name="New session")).to_be_visible()
    return page


async def test_the_demo_is_clicked_through(
    deployment: Deployment, browser: Browser, keep: Callable[[str], Path]
) -> None:
    """On a server of its own: the demo is offered where there is no session yet."""
    page = await log_in(browser, deployment)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    await page.get_by_role("button", name="Fill in the demo").click()
    await page.screenshot(path=keep("demo-1-new"))
    log = {"name": "checkout.log", "mimeType": "text/plain", "buffer": b"total 30.00, delivery 4.90"}
    await page.get_by_label("Files to attach").set_input_files([log])
    await expect(page.get_by_text("26 B")).to_be_visible()
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url(re.compile("/sessions/s-"))
    await expect(page.get_by_role("button", name=re.compile("Stop"))).to_be_visible()
    await expect(page.get_by_role("link", name="checkout.log")).to_be_visible()
    await the_queue_is_edited(page)
    await page.screenshot(path=keep("demo-2-begun"))
    await it_is_proved(page, browser, deployment)
    await an_edit_shows_its_diff(page)
    await page.screenshot(path=keep("demo-3-proved"))

    await page.get_by_role("link", name=re.compile("pull request 1")).click()
    await expect(page.get_by_text("Merges cleanly into main")).to_be_visible()
    await expect(page.get_by_text("test_an_order_of_exactly_thirty_euros_is_delivered_free").first).to_be_visible()
    await page.screenshot(path=keep("demo-4-pull-request"), full_page=True)
    await page.get_by_role("button", name="Merge").click()
    await page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    await expect(page.get_by_text("Merged").first).to_be_visible()
    await page.screenshot(path=keep("demo-5-merged"))
    assert complaints == []


async def it_is_proved(page: Page, browser: Browser, deployment: Deployment) -> None:
    """Before the eyes of three: the first browser, a guest in another, and a terminal."""
    session = page.url.rpartition("/")[2]
    async with asyncio.TaskGroup() as tasks:
        terminal = tasks.create_task(deployment.run_cli("attach", session, "--until-idle", "--json"))
        guest = await join(browser, await invite(page))
        await they_see_one_another(page, guest)
        await expect(page.get_by_text("Fix proved").first).to_be_visible(timeout=TURN_MS)
        for one in (page, guest):
            await expect(one.get_by_text("Done.").first).to_be_visible(timeout=TURN_MS)
        await expect(page.get_by_text("1 red").first).to_be_visible()
        await expect(page.get_by_text("1 green").first).to_be_visible()
    await they_see_the_same(page, guest, terminal.result(), deployment)


async def an_edit_shows_its_diff(page: Page) -> None:
    """The tool call that mends the bug, opened where it stands in the transcript."""
    edit = page.get_by_role("button", name=re.compile(r"Edit .*basket\.py")).last
    await edit.click()
    await expect(page.get_by_text(FIXED_LINE).locator("visible=true").first).to_be_visible()


async def the_queue_is_edited(page: Page) -> None:
    """A second prompt is queued with a file, edited in its place, its file for another, and taken back."""
    await page.get_by_role("textbox", name="Prompt").fill("And then the other one.")
    notes = [{"name": f"{name}.txt", "mimeType": "text/plain", "buffer": name.encode()} for name in ("first", "second")]
    await page.get_by_label("Files to attach").set_input_files(notes[:1])
    await page.get_by_role("button", name="Queue").click()
    waiting = page.get_by_role("region", name="Prompts that wait")
    await waiting.get_by_role("button", name="Edit this prompt").click()
    await waiting.get_by_role("textbox").fill("And then both.")
    await waiting.get_by_role("button", name="Remove first.txt").click()
    await waiting.get_by_label("Files to attach").set_input_files(notes[1:])
    await waiting.get_by_role("button", name="Save").click()
    await expect(waiting.get_by_text("And then both. · 1 file")).to_be_visible()
    await waiting.get_by_role("button", name="Edit this prompt").click()
    await expect(waiting.get_by_text("second.txt")).to_be_visible()
    await expect(waiting.get_by_text("first.txt")).to_have_count(0)
    await waiting.get_by_role("textbox").press("Escape")
    await waiting.get_by_role("button", name="Take this prompt back").click()
    await expect(waiting).to_be_hidden()


async def test_a_turn_is_stopped_and_a_pull_request_closed(
    shared_deployment: Deployment, browser: Browser, tmp_path: Path, keep: Callable[[str], Path]
) -> None:
    page = await log_in(browser, shared_deployment)
    repository = make_repository(tmp_path / "plain")
    session = await shared_deployment.begin(repository, "Wait a little.")
    async with shared_deployment.feed(session) as feed:
        sandbox = (await feed.until("sandbox_ready"))["handle"]["id"]
        await shared_deployment.until_runs(sandbox, "sleep")
        await page.goto(f"{shared_deployment.server.url}/sessions/{session}")
        await page.get_by_role("button", name="Stop").click()
        assert (await feed.until("turn_ended"))["reason"] == "stopped"
    assert shared_deployment.running(sandbox, "sleep") == []
    await expect(page.get_by_text("Stopped").first).to_be_visible()
    await expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    await page.screenshot(path=keep("stopped"))

    await page.get_by_role("textbox", name="Prompt").fill("Commit a file.")
    await page.get_by_role("button", name=re.compile("Send|Queue")).click()
    await page.get_by_role("link", name=re.compile("pull request 1")).first.click(timeout=TURN_MS)
    await expect(page.get_by_text("new.txt").first).to_be_visible()
    await page.get_by_role("button", name="Close", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Close it").click()
    await expect(page.get_by_text("Closed without merging.")).to_be_visible()
    async with shared_deployment.client() as client:
        pulls = (await client.get("/api/pull-requests")).json()["pull_requests"]
    assert [pull["state"] for pull in pulls if pull["session"] == session] == ["closed"]
    await a_session_is_started_below_it(page, shared_deployment, session)


async def a_session_is_started_below_it(page: Page, deployment: Deployment, session: str) -> None:
    """By hand and by keys; it works, and its parent's page says so without being loaded again."""
    await page.goto(f"{deployment.server.url}/sessions/{session}")
    await page.get_by_role("tab", name="About").click()
    pane = page.get_by_role("tabpanel", name="About").locator("visible=true")
    await pane.get_by_role("button", name="Start a session below this one").press("Enter")
    await page.keyboard.type("Only talk.")
    await page.keyboard.press("Control+Enter")
    row = pane.get_by_role("listitem").filter(has_text="Only talk.")
    await expect(row.get_by_text("Done")).to_be_visible(timeout=TURN_MS)
    async with deployment.client() as client:
        [child] = (await client.get(f"/api/sessions/{session}/children")).json()["children"]
    assert (child["repository"], child["state"]) == ("plain", "resting")
    await row.get_by_role("link", name="Only talk.").click()
    await page.wait_for_url(f"**/sessions/{child['session']}")
    await expect(page.get_by_role("link", name="started by another session")).to_be_visible()


async def test_a_login_link_is_good_once(shared_deployment: Deployment, browser: Browser) -> None:
    deployment = shared_deployment
    async with deployment.client() as client:
        link = (await client.post("/api/login-links", json={})).json()["url"]
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(link)
    await expect(page.get_by_role("heading", name="New session")).to_be_visible()
    stranger = await (await browser.new_context()).new_page()
    answer = await stranger.goto(link)
    assert answer is not None
    assert answer.status == 410
    await stranger.goto(deployment.server.url)
    await expect(stranger.get_by_text("outrider login").first).to_be_visible()

    await page.get_by_role("button", name="Your login").press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Log out")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()
