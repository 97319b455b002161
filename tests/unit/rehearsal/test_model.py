"""The vendors' wire formats, asked for and answered as their own SDKs do."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.script import Script, ScriptedCall, ScriptedStep

SCRIPT = Script(
    name="list-files",
    title="List files",
    prompt="List the files",
    match="List the files",
    steps=(
        ScriptedStep(text="I look at the folder.", calls=(ScriptedCall(tool="bash", input={"command": "ls -a"}),)),
        ScriptedStep(text="There is “README.md”. "),
    ),
)
ANTHROPIC_TOOL = {"name": "bash", "description": "Run", "input_schema": {"type": "object"}}
OPENAI_TOOL = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(rehearsal_app([SCRIPT]))
    async with httpx.AsyncClient(transport=transport, base_url="http://rehearsal") as opened:
        yield opened


def asked_of_anthropic(*more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    prompt = {"role": "user", "content": [{"type": "text", "text": "List the files"}]}
    return {
        "model": "demo", "max_tokens": 100, "messages": [prompt, *more], "tools": [ANTHROPIC_TOOL],
        "system": [{"type": "text", "text": "You are helpful.", "cache_control": {"type": "ephemeral"}}], **fields,
    }  # fmt: skip


def asked_of_openai(*more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    first = [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": "List the files"}]
    return {"model": "demo", "messages": [*first, *more], "tools": [OPENAI_TOOL], **fields}


def events(response: httpx.Response) -> list[dict[str, Any]]:
    """The JSON of each event of a stream."""
    assert response.headers["content-type"].startswith("text/event-stream")
    rows = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(row) for row in rows if row != "[DONE]"]


async def test_anthropic_whole(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/messages", json=asked_of_anthropic())).json()
    text, call = answer["content"]
    assert (answer["type"], answer["role"], answer["stop_reason"]) == ("message", "assistant", "tool_use")
    assert text == {"type": "text", "text": "I look at the folder."}
    assert (call["type"], call["name"], call["input"]) == ("tool_use", "bash", {"command": "ls -a"})
    assert answer["usage"]["output_tokens"] > 5


async def test_anthropic_stream(client: httpx.AsyncClient) -> None:
    stream = events(await client.post("/v1/messages", json=asked_of_anthropic(stream=True)))
    kinds = [event["type"] for event in stream]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 2
    deltas = [event["delta"] for event in stream if event["type"] == "content_block_delta"]
    assert "".join(delta.get("text", "") for delta in deltas) == "I look at the folder."
    assert json.loads("".join(delta.get("partial_json", "") for delta in deltas)) == {"command": "ls -a"}
    assert stream[-2]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize("result", ["README.md", [{"type": "text", "text": "README.md"}]])
async def test_anthropic_goes_on_with_the_tool_result(client: httpx.AsyncClient, result: object) -> None:
    first = (await client.post("/v1/messages", json=asked_of_anthropic())).json()
    back = {"type": "tool_result", "tool_use_id": first["content"][1]["id"], "content": result}
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
    more = [
        {"role": "assistant", "content": [thought, *first["content"]]},
        {"role": "user", "content": [back]},
    ]
    answer = (await client.post("/v1/messages", json=asked_of_anthropic(*more))).json()
    assert (answer["content"], answer["stop_reason"]) == (
        [{"type": "text", "text": "There is “README.md”. "}],
        "end_turn",
    )


async def test_openai_whole(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/chat/completions", json=asked_of_openai())).json()
    (choice,) = answer["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (answer["object"], choice["finish_reason"]) == ("chat.completion", "tool_calls")
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("bash", {"command": "ls -a"})
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]


async def test_openai_stream(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/chat/completions", json=asked_of_openai(stream=True))
    assert response.text.endswith("data: [DONE]\n\n")
    *chunks, usage = events(response)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content", "") for delta in deltas) == "I look at the folder."
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert (calls[0]["id"].startswith("toolu_rehearsal_list-files_0_0_"), calls[0]["function"]["name"]) == (
        True,
        "bash",
    )
    assert json.loads("".join(call["function"]["arguments"] for call in calls)) == {"command": "ls -a"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert (usage["choices"], usage["usage"]["completion_tokens"] > 5) == ([], True)


async def test_openai_goes_on_with_the_tool_result(client: httpx.AsyncClient) -> None:
    first = (await client.post("/v1/chat/completions", json=asked_of_openai())).json()["choices"][0]["message"]
    back = {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "README.md"}
    answer = (await client.post("/v1/chat/completions", json=asked_of_openai(first, back))).json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "There is “README.md”. "}


async def test_what_no_script_plays_is_an_error_of_each_format(client: httpx.AsyncClient) -> None:
    prompt = [{"role": "user", "content": "Write a poem"}]
    anthropic = await client.post("/v1/messages", json=asked_of_anthropic() | {"messages": prompt})
    openai = await client.post("/v1/chat/completions", json=asked_of_openai() | {"messages": prompt})
    assert (anthropic.status_code, openai.status_code) == (400, 400)
    assert anthropic.json()["error"]["type"] == openai.json()["error"]["type"] == "invalid_request_error"
    assert anthropic.json()["error"]["message"] == openai.json()["error"]["message"]
    assert "use the demo prompt: List the files" in openai.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"messages": []}', b'{"messages": [{"role": 1}]}'])
async def test_what_is_not_of_the_format_is_refused(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    response = await client.post(path, content=body)
    assert response.status_code == 400
    assert "not of this format" in response.json()["error"]["message"]


async def test_tokens_are_counted_by_characters(client: httpx.AsyncClient) -> None:
    small = (await client.post("/v1/messages/count_tokens", json=asked_of_anthropic())).json()["input_tokens"]
    more = {"role": "user", "content": "word " * 400}
    large = (await client.post("/v1/messages/count_tokens", json=asked_of_anthropic(more))).json()["input_tokens"]
    assert large - small == 500


async def test_a_repeated_text_is_said_as_often_as_asked() -> None:
    step = ScriptedStep(text="tick ", repeat=1000)
    script = SCRIPT.model_copy(update={"steps": (step,)})
    transport = httpx.ASGITransport(rehearsal_app([script], tokens_per_second=1e9))
    async with httpx.AsyncClient(transport=transport, base_url="http://rehearsal") as client:
        stream = events(await client.post("/v1/messages", json=asked_of_anthropic(stream=True)))
    said = "".join(event["delta"]["text"] for event in stream if event["type"] == "content_block_delta")
    assert said == "tick " * 1000
