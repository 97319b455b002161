"""The hub: order, coalescing, slow clients."""

import asyncio
import json
from collections.abc import AsyncIterator

from outrider.model.engine import Speaker
from outrider.model.events import ProblemReported, PromptQueued, Recorded, TextSealed
from outrider.model.ids import MessageId, TurnId
from outrider.model.rows import row
from outrider.session.feed import Hub
from outrider.testing.manual_clock import START
from outrider.testing.session_world import new_prompt

TURN, MESSAGE = TurnId("turn-aaaa"), MessageId("m-one")


def happen(hub: Hub, seq: int, event: object = None) -> None:
    record = Recorded(seq=seq, at=START, event=event or ProblemReported(sentence=f"Number {seq}."))
    hub.publish([record.event], [row(record)])


OF_AN_ATTACH = 3
"""Frames that tell a new client what is so: drafts, changes, live."""


def say(hub: Hub, text: str) -> None:
    hub.say(TURN, MESSAGE, Speaker.AGENT, text, 0.0)


async def take(frames: AsyncIterator[bytes], count: int) -> list[dict]:
    return [json.loads(await anext(frames)) for _ in range(count)]


async def test_a_client_gets_page_drafts_live_and_then_what_happens():
    hub = Hub(0.0)
    say(hub, "Hel")
    frames = hub.attach([b'{"seq":1}'], 1).frames()
    happen(hub, 2)
    page, drafts, changes, live, event = await take(frames, 5)
    assert page == {"kind": "events", "events": [{"seq": 1}]}
    assert [(draft["offset"], draft["text"]) for draft in drafts["drafts"]] == [(0, "Hel")]
    assert changes == {"kind": "changes", "changes": None}
    assert live == {"kind": "live", "seq": 1}
    assert [record["seq"] for record in event["events"]] == [2]


async def test_who_comes_late_is_told_what_is_waited_for_until_something_else_happens():
    hub = Hub(0.0)
    hub.progress("sandbox", "Waiting for a free sandbox.")
    happen(hub, 1, PromptQueued(prompt=new_prompt("one more")))
    waiting = {"kind": "progress", "stage": "sandbox", "text": "Waiting for a free sandbox."}
    assert (await take(hub.attach([], 1).frames(), OF_AN_ATTACH + 1))[-1] == waiting
    happen(hub, 2)
    frames = hub.attach([], 2).frames()
    happen(hub, 3)
    assert (await take(frames, OF_AN_ATTACH + 1))[-1]["kind"] == "events"


async def test_deltas_go_out_before_the_event_that_stores_them():
    hub = Hub(10.0)
    frames = hub.attach([], 0).frames()
    say(hub, "Hel")
    say(hub, "lo ")
    say(hub, "you")
    happen(hub, 1, TextSealed(turn=TURN, message=MESSAGE, speaker=Speaker.AGENT, offset=0, text="Hello you"))
    first, second, event = (await take(frames, 6))[OF_AN_ATTACH:]
    assert (first["offset"], first["text"], first["after_seq"]) == (0, "Hel", 0)
    assert (second["offset"], second["text"]) == (3, "lo you")
    assert event["events"][0]["event"]["text"] == "Hello you"
    assert hub.drafts.shown() == ()
    hub.close()


async def test_what_can_go_out_at_once_waits_for_nobody_and_overtakes_nothing():
    hub, out, full = Hub(0.0), list[bytes](), asyncio.Event()

    def at_once(frame: bytes) -> bool:
        if not full.is_set():
            out.append(frame)
        return not full.is_set()

    async def pump() -> None:
        async for frame in hub.attach([], 0, None, at_once).frames():
            out.append(frame)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pump(), name="pump")
        await asyncio.sleep(0)
        happen(hub, 1)
        assert len(out) == OF_AN_ATTACH + 1, "the task was not needed"
        full.set()
        happen(hub, 2)
        full.clear()
        happen(hub, 3)
        assert len(out) == OF_AN_ATTACH + 1, "what comes after one that waits, waits as well"
        await asyncio.sleep(0)
        happen(hub, 4)
        hub.close()
    numbers = [event["seq"] for frame in out[OF_AN_ATTACH:] for event in json.loads(frame)["events"]]
    assert numbers == [1, 2, 3, 4]


async def test_a_window_ends_by_itself():
    hub = Hub(0.001)
    frames = hub.attach([], 0).frames()
    say(hub, "a")
    say(hub, "b")
    deltas = (await take(frames, 5))[OF_AN_ATTACH:]
    assert [delta["text"] for delta in deltas] == ["a", "b"]
    hub.close()


async def test_a_client_that_never_reads_is_told_to_attach_again_and_harms_nobody():
    hub = Hub(0.0, mailbox_frames=10)
    slow, healthy = hub.attach([], 5), hub.attach([], 5)
    seen = []
    frames = healthy.frames()
    for seq in range(6, 40):
        happen(hub, seq)
        while len(seen) < (seq - 5) + OF_AN_ATTACH:
            seen += await take(frames, 1)
    told = [json.loads(frame) async for frame in slow.frames()]
    assert told == [{"kind": "resync", "after": 5}]
    assert [frame["events"][0]["seq"] for frame in seen[OF_AN_ATTACH:]] == list(range(6, 40))


async def test_a_client_that_fell_behind_goes_on_where_it_was():
    hub = Hub(0.0, mailbox_frames=10)
    frames = hub.attach([], 0).frames()
    happen(hub, 1)
    await take(frames, OF_AN_ATTACH + 1)
    for seq in range(2, 40):
        happen(hub, seq)
    assert await take(frames, 1) == [{"kind": "resync", "after": 1}]


async def test_the_end_of_the_server_ends_every_client():
    hub = Hub(0.0)
    mailbox = hub.attach([], 0)
    async with asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(_all(mailbox.frames()), name="reader")
        await asyncio.sleep(0)
        hub.close()
    assert len(reader.result()) == OF_AN_ATTACH


async def test_nobody_is_written_to_where_nobody_watches():
    hub = Hub(0.0)
    mailbox = hub.attach([], 0)
    assert hub.watched
    hub.detach(mailbox)
    assert not hub.watched
    say(hub, "kept as a draft")
    assert hub.drafts.shown()[0].text == "kept as a draft"


async def _all(frames: AsyncIterator[bytes]) -> list[bytes]:
    return [frame async for frame in frames]
