"""The OpenAI Chat Completions format: requests parsed, answers written, whole or as a stream of chunks."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, Field

from outrider.rehearsal.conversation import Author, Conversation, Message, ToolResult
from outrider.rehearsal.script import Answer, Call
from outrider.rehearsal.wire import Event, json_pieces, text_pieces, tokens

_SYSTEM = ("system", "developer")


class _Part(BaseModel):
    type: str
    text: str = ""


class _Message(BaseModel):
    role: str
    content: str | list[_Part] | None = None
    tool_call_id: str = ""

    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class _Function(BaseModel):
    name: str


class _Tool(BaseModel):
    function: _Function


class _StreamOptions(BaseModel):
    include_usage: bool = False


class Request(BaseModel):
    """What of a request the rehearsal model reads; the rest is ignored."""

    model: str = "rehearsal"
    messages: list[_Message] = Field(min_length=1)
    tools: list[_Tool] = []
    stream: bool = False
    stream_options: _StreamOptions = _StreamOptions()


def parse(body: bytes) -> Conversation:
    """The conversation of a request body. Raises pydantic's ValidationError."""
    request = Request.model_validate_json(body)
    return Conversation(
        model=request.model,
        messages=tuple(_message(message) for message in request.messages if message.role not in _SYSTEM),
        tools=tuple(tool.function.name for tool in request.tools),
        stream=request.stream,
    )


def _message(message: _Message) -> Message:
    if message.role == "tool":
        return Message(Author.PERSON, results=(ToolResult(message.tool_call_id, message.text()),))
    if message.role == "assistant":
        return Message(Author.MODEL, (message.text(),))
    if isinstance(message.content, list):
        return Message(Author.PERSON, tuple(part.text for part in message.content if part.text))
    return Message(Author.PERSON, (message.text(),))


def whole(conversation: Conversation, answer: Answer) -> Mapping[str, Any]:
    """The answer as one completion."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text * answer.repeat or None}
    if answer.calls:
        message["tool_calls"] = [_tool_call(call, json.dumps(dict(call.input))) for call in answer.calls]
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(answer)}
    return {**_envelope(conversation, "chat.completion"), "choices": [choice], "usage": _usage(conversation, answer)}


def events(conversation: Conversation, answer: Answer) -> Iterator[Event]:
    """The answer as a stream of chunks. Usage is always in the last one: asked for or not, it does no harm."""
    yield _chunk(conversation, {"role": "assistant", "content": ""})
    for piece in text_pieces(answer):
        yield _chunk(conversation, {"content": piece}, said=piece)
    for index, call in enumerate(answer.calls):
        yield _chunk(conversation, {"tool_calls": [{"index": index, **_tool_call(call, "")}]})
        for piece in json_pieces(call):
            delta = {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            yield _chunk(conversation, delta, said=piece)
    yield _chunk(conversation, {}, finish=_finish_reason(answer))
    usage = {**_envelope(conversation, "chat.completion.chunk"), "choices": [], "usage": _usage(conversation, answer)}
    yield _event(usage)
    yield Event(b"data: [DONE]\n\n")


def error(status: int, kind: str, sentence: str) -> Mapping[str, Any]:
    """An error in this format."""
    return {"error": {"message": sentence, "type": kind, "param": None, "code": status}}


def _chunk(conversation: Conversation, delta: Mapping[str, Any], *, said: str = "", finish: str | None = None) -> Event:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event({**_envelope(conversation, "chat.completion.chunk"), "choices": [choice]}, said)


def _event(data: Mapping[str, Any], said: str = "") -> Event:
    return Event(f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode(), len(said) / 4)


def _envelope(conversation: Conversation, kind: str) -> dict[str, Any]:
    id_ = f"chatcmpl-rehearsal-{len(conversation.messages)}"
    return {"id": id_, "object": kind, "created": 0, "model": conversation.model}


def _tool_call(call: Call, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.tool, "arguments": arguments}}


def _finish_reason(answer: Answer) -> str:
    return "tool_calls" if answer.calls else "stop"


def _usage(conversation: Conversation, answer: Answer) -> dict[str, int]:
    asked, said = conversation.tokens(), tokens(answer)
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
