"""A second person in a session: comes by a link, types, and sees what the first one sees."""

import re

from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.deployment import Deployment, Finished

WITHOUT_TIMES = """region => {
  const copy = region.cloneNode(true);
  copy.querySelectorAll('time, .sr-only').forEach(one => one.remove());
  return copy.textContent;
}"""
"""What is on the page, but for how long ago things were."""


LOOKS = 50
"""A tenth of a second apart: two pages do not draw in the same moment."""


async def invite(page: Page) -> str:
    """A link, made on the page of a session."""
    await page.get_by_role("tab", name="People").click()
    await page.get_by_role("button", name="Make a link").click()
    link = await page.get_by_label("The link").input_value()
    await page.get_by_role("tab", name=re.compile("Evidence")).click()
    return link


async def join(browser: Browser, link: str) -> Page:
    """A guest follows the link in a browser of their own."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(link)
    await page.get_by_label("Your name").fill("Cleo")
    await page.get_by_label("Your email").fill("cleo@example.org")
    await page.get_by_role("button", name="Join the session").click()
    await page.wait_for_url(re.compile("/sessions/s-"))
    return page


async def they_see_one_another(page: Page, guest: Page) -> None:
    """Faces on both pages, and who types on the other's; gone when a window closes."""
    for one in (page, guest):
        await expect(one.get_by_role("list", name="Who is here").get_by_role("listitem")).to_have_count(2)
    await guest.get_by_role("textbox", name="Prompt").press_sequentially("So")
    await expect(page.get_by_text("Cleo is typing…")).to_be_visible()
    await guest.get_by_role("textbox", name="Prompt").fill("")
    other = await guest.context.new_page()
    await other.goto(guest.url)
    await expect(other.get_by_role("list", name="Who is here").get_by_role("listitem")).to_have_count(2)
    await other.close()


async def they_see_the_same(page: Page, guest: Page, terminal: Finished, deployment: Deployment) -> None:
    """Transcript, evidence and changes of two pages, and the events of a terminal that was there all along."""
    for pane in ("Changes", "Evidence"):
        for one in (page, guest):
            await one.get_by_role("tab", name=re.compile(pane)).click()
        assert await shown_by_both(*(one.get_by_role("tabpanel").first for one in (page, guest)))
    mine = await shown_by_both(*(one.get_by_role("list", name="Transcript") for one in (page, guest)))
    assert "Cleo joined as prompter (a guest)" in mine
    session = page.url.rpartition("/")[2]
    async with deployment.client() as client:
        stored = (await client.get(f"/api/sessions/{session}/events")).json()["events"]
    watched = terminal.lines[:-1]
    assert watched == stored[: len(watched)]
    assert "turn_ended" in {line["event"]["type"] for line in watched}


async def shown_by_both(one: Locator, other: Locator) -> str:
    """The same text, once both pages have drawn what they have."""
    for _ in range(LOOKS):
        if (mine := await shown(one)) == await shown(other):
            return mine
        await other.page.wait_for_timeout(100)
    assert await shown(one) == await shown(other)
    return mine


async def shown(region: Locator) -> str:
    return str(await region.evaluate(WITHOUT_TIMES))
