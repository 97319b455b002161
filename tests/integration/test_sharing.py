"""Who sees what, and joining by a link: the whole application over real logs and a real catalog."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from outrider.model.ids import SessionId
from outrider.model.membership import House, Role
from outrider.model.person import Person
from outrider.testing.api_world import OWNER, TOKEN, ApiWorld, api_world
from outrider.testing.fake_engine import FakeEngine, say
from outrider.testing.playbook import ADA, BOB
from outrider.testing.session_world import SessionWorld, new_session, until

CLEO = Person(name="Cleo", email="cleo@example.org")


@asynccontextmanager
async def deployed(folder: Path, others: Role | None = None) -> AsyncIterator[tuple[ApiWorld, SessionId]]:
    """A deployment whose default role is this, with a session of Ada's that has worked once."""
    world = SessionWorld(folder, FakeEngine({"": [say("Done. ")]}))
    world.house = House(owner=OWNER.email, others=others)
    repository = await world.begin()
    async with api_world(world) as api:
        session = await api.parts.registry.create(new_session(repository, world.source.head(), "talk"))
        await until(api.parts.registry, session, lambda state: any(kept.stored for kept in state.snapshots))
        yield api, session


async def link_of(api: ApiWorld, session: SessionId, **wanted: object) -> str:
    """The token of a fresh link."""
    async with api.client(token=TOKEN) as owner:
        made = await owner.post(f"/api/sessions/{session}/links", json=wanted)
    assert made.status_code == 201, made.text
    return str(made.json()["url"]).partition("#")[2]


async def join(api: ApiWorld, token: str, who: Person | None = None, cookie: str = "") -> httpx.Response:
    async with api.client(cookie=cookie) as stranger:
        person = who.model_dump() if who else None
        return await stranger.post("/api/join", json={"token": token, "person": person})


async def test_what_a_person_may_not_see_is_not_there(tmp_path: Path) -> None:
    async with deployed(tmp_path) as (api, session):
        async with api.client(token=TOKEN) as owner, asyncio.timeout(30):
            while not (await owner.get("/api/search", params={"q": "talk"})).json()["hits"]:  # noqa: ASYNC110 -- the index is behind
                await asyncio.sleep(0.02)
        async with api.client(cookie=await api.log_in(BOB)) as bob:
            assert (await bob.get("/api/sessions")).json() == {"sessions": []}
            assert (await bob.get("/api/search", params={"q": "talk"})).json() == {"hits": []}
            for path in ("", "/events", "/transcript", "/result", "/members", "/links", "/artifacts/a-abcd"):
                answer = await bob.get(f"/api/sessions/{session}{path}")
                assert (answer.status_code, answer.json()["sentence"]) == (404, f"There is no session {session}.")
            for path in ("/stop", "/archive", "/typing", "/fork"):
                assert (await bob.post(f"/api/sessions/{session}{path}", json={})).status_code == 404
            assert (await bob.get("/api/egress")).status_code == 403
            assert (await bob.get("/git/demo.git/info/refs")).status_code == 403
        async with api.feed(session, await api.log_in(BOB)) as feed:
            assert await feed.until_closed() == 4404
        async with api.client(token=TOKEN) as owner:
            assert [row["id"] for row in (await owner.get("/api/sessions")).json()["sessions"]] == [session]


async def test_a_viewer_sees_all_and_does_nothing(tmp_path: Path) -> None:
    async with deployed(tmp_path) as (api, session):
        async with api.client(token=TOKEN) as owner:
            put = await owner.put(f"/api/sessions/{session}/members/{BOB.email}", json={"role": "viewer"})
            assert put.status_code == 202
        async with api.client(cookie=await api.log_in(BOB)) as bob:
            assert [row["id"] for row in (await bob.get("/api/sessions")).json()["sessions"]] == [session]
            told = (await bob.get(f"/api/sessions/{session}/members")).json()
            assert (told["yours"], told["others"]) == ("viewer", None)
            refused = await bob.post(f"/api/sessions/{session}/prompts", json={"text": "mend it"})
            assert refused.status_code == 403
            assert "Ask Ada" in refused.json()["remedy"]
            assert (await bob.post(f"/api/sessions/{session}/links", json={})).status_code == 403
        async with api.feed(session, await api.log_in(BOB)) as feed:
            await feed.until("live")
            feed.say(kind="prompt", ref="1", text="mend it")
            assert "it takes a prompter" in (await feed.until("refused"))["sentence"]


async def test_a_stranger_joins_by_a_link_and_sees_that_session_alone(tmp_path: Path) -> None:
    async with deployed(tmp_path, others="prompter") as (api, session):
        token = await link_of(api, session, role="prompter")
        async with api.client() as stranger:
            shown = (await stranger.post("/api/join/look", json={"token": token})).json()
            assert (shown["title"], shown["role"], shown["you"]) == ("A session", "prompter", None)
            assert (await stranger.post("/api/join", json={"token": token})).status_code == 422
        answer = await join(api, token, CLEO)
        assert answer.json() == {"session": session, "role": "prompter"}
        async with api.client(cookie=answer.cookies["outrider_login"]) as cleo:
            assert (await cleo.get("/api/me")).json()["guest"] is True
            assert [row["id"] for row in (await cleo.get("/api/sessions")).json()["sessions"]] == [session]
            prompted = await cleo.post(f"/api/sessions/{session}/prompts", json={"text": "mend it"})
            assert prompted.status_code == 202
            for path in ("/api/search?q=talk", "/api/repositories", "/api/pull-requests", "/api/egress", "/api/pool"):
                assert (await cleo.get(path)).status_code == 403
            for path in ("/api/sessions", f"/api/sessions/{session}/fork", f"/api/sessions/{session}/egress"):
                assert (await cleo.post(path, json={})).status_code in (403, 422)
            assert (await cleo.post("/api/login-links", json={})).status_code == 403
        state = await api.parts.registry.state(session)
        assert state.members[CLEO.email].guest
        assert (await join(api, token, BOB)).status_code == 404, "it was good for one"


async def test_nobody_becomes_a_known_person_by_typing_their_address(tmp_path: Path) -> None:
    async with deployed(tmp_path) as (api, session):
        await api.log_in(BOB)
        token = await link_of(api, session, uses=9)
        for who in (ADA, BOB, OWNER, Person(name="A", email=ADA.email.upper())):
            assert (await join(api, token, who)).status_code == 409
        async with api.client(token=TOKEN) as owner:
            invites = (await owner.get(f"/api/sessions/{session}/links")).json()["invites"]
        assert [(one["uses"], one["used"]) for one in invites] == [(9, 0)], "what came to nothing uses nothing up"


async def test_two_guests_of_one_name_are_two(tmp_path: Path) -> None:
    """A guest's login is good for what was joined with it: the same address typed again opens nothing."""
    async with deployed(tmp_path) as (api, session):
        other = await api.parts.registry.create(
            new_session((await api.parts.forge.repositories())[0], (await api.parts.registry.state(session)).base, "b")
        )
        await join(api, await link_of(api, session), CLEO)
        answer = await join(api, await link_of(api, other), CLEO)
        assert answer.status_code == 200
        async with api.client(cookie=answer.cookies["outrider_login"]) as second:
            assert (await second.get(f"/api/sessions/{session}")).status_code == 404
            assert [row["id"] for row in (await second.get("/api/sessions")).json()["sessions"]] == [other]
        assert (await join(api, await link_of(api, session), CLEO)).status_code == 409


async def test_a_login_joins_at_once_and_keeps_what_it_has(tmp_path: Path) -> None:
    async with deployed(tmp_path) as (api, session):
        cookie = await api.log_in(BOB)
        assert (await join(api, await link_of(api, session, role="viewer"), cookie=cookie)).status_code == 200
        raised = await link_of(api, session, role="prompter")
        assert (await join(api, raised, cookie=cookie)).status_code == 200
        again = await link_of(api, session, role="viewer")
        assert (await join(api, again, cookie=cookie)).status_code == 200
        state = await api.parts.registry.state(session)
        assert (state.members[BOB.email].role, state.members[BOB.email].guest) == ("prompter", False)
        assert (await join(api, again, CLEO)).status_code == 200, "who was in already has used nothing up"


async def test_a_guest_who_is_sent_away_is_out_at_once(tmp_path: Path) -> None:
    async with deployed(tmp_path, others="prompter") as (api, session):
        cookie = (await join(api, await link_of(api, session), CLEO)).cookies["outrider_login"]
        async with api.feed(session, cookie) as feed:
            await feed.until("live")
            async with api.client(token=TOKEN) as owner:
                assert (await owner.delete(f"/api/sessions/{session}/members/{CLEO.email}")).status_code == 202
            assert await feed.until_closed() == 4409
        async with api.client(cookie=cookie) as cleo:
            assert (await cleo.get(f"/api/sessions/{session}")).status_code == 404
            assert (await cleo.get("/api/sessions")).json() == {"sessions": []}


async def test_links_are_listed_and_revoked(tmp_path: Path) -> None:
    async with deployed(tmp_path) as (api, session):
        token = await link_of(api, session, hours=1)
        async with api.client(token=TOKEN) as owner:
            listed = await owner.get(f"/api/sessions/{session}/links")
            assert token not in listed.text
            link = listed.json()["invites"][0]["id"]
            assert (await owner.delete(f"/api/sessions/{session}/links/{link}")).status_code == 204
            assert (await owner.delete(f"/api/sessions/{session}/links/{link}")).status_code == 404
        assert (await join(api, token, CLEO)).status_code == 404


async def test_a_token_is_kept_as_its_hash_alone(tmp_path: Path) -> None:
    async with deployed(tmp_path) as (api, session):
        token = await link_of(api, session)
        cookie = (await join(api, token, CLEO)).cookies["outrider_login"]
    kept = await asyncio.to_thread(lambda: b"".join(path.read_bytes() for path in tmp_path.glob("catalog*")))
    assert len(kept) > 4096
    assert token.encode() not in kept
    assert cookie.encode() not in kept


async def test_a_stranger_may_not_guess_for_long(tmp_path: Path) -> None:
    async with deployed(tmp_path) as (api, session):
        for number in range(20):
            assert (await join(api, f"wrong-token-{number}", CLEO)).status_code == 404
        assert (await join(api, await link_of(api, session), CLEO)).status_code == 429


@pytest.mark.parametrize(("role", "starts"), [("viewer", 403), ("owner", 422), (None, 422)])
async def test_a_login_has_the_role_that_it_was_made_with(tmp_path: Path, role: Role | None, starts: int) -> None:
    async with deployed(tmp_path) as (api, session):
        cookie = await api.log_in(BOB, role)
        async with api.client(cookie=cookie) as bob:
            assert (await bob.get(f"/api/sessions/{session}")).status_code == (200 if role else 404)
            raised = await bob.put(f"/api/sessions/{session}/members/{CLEO.email}", json={"role": "viewer"})
            assert raised.status_code == {"viewer": 403, "owner": 202, None: 404}[role]
            widened = (await bob.post("/api/repositories/demo/egress", json={"host": "a.example"})).status_code
            assert widened == (204 if role == "owner" else 403)
            wanted = {"repository": "demo", "prompt": " "}
            assert (await bob.post("/api/sessions", json=wanted)).status_code == starts
            assert (await bob.post("/api/login-links", json={"role": "owner"})).status_code == 422
