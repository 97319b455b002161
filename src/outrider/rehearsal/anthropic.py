"""The Anthropic Messages format: requests parsed, answers written, whole or as server-sent events."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from outrider.rehearsal.conversation import Author, Conversation, Message, ToolResult
from outrider.rehearsal.script import Answer, Call
from outrider.rehearsal.wire import Event, json_pieces, text_pieces, tokens


class _Text(BaseModel):
    type: Literal["text"]
    text: str


class _Result(BaseModel):
    type: Literal["tool_result"]
    tool_use_id: str
    content: "str | list[_Block | _Other]" = ""


class _Other(BaseModel):
    """A block that scripts have no use for: an image, a thought, a tool call."""

    type: str


_Block = Annotated[_Text | _Result, Field(discriminator="type")]


class _Message(BaseModel):
    role: Literal["user", "assistant", "system"]
    content: str | list[_Block | _Other]


class _Tool(BaseModel):
    name: str


class Request(BaseModel):
    """What of a request the rehearsal model reads; the rest is ignored."""

    model: str = "rehearsal"
    messages: list[_Message] = Field(min_length=1)
    tools: list[_Tool] = []
    stream: bool = False


def parse(body: bytes) -> Conversation:
    """The conversation of a request body. Raises pydantic's ValidationError."""
    request = Request.model_validate_json(body)
    return Conversation(
        model=request.model,
        messages=tuple(_message(message) for message in request.messages if message.role != "system"),
        tools=tuple(tool.name for tool in request.tools),
        stream=request.stream,
    )


def _message(message: _Message) -> Message:
    author = Author.MODEL if message.role == "assistant" else Author.PERSON
    if isinstance(message.content, str):
        return Message(author, (message.content,))
    return Message(
        author,
        tuple(block.text for block in message.content if isinstance(block, _Text)),
        tuple(ToolResult(b.tool_use_id, _flat(b.content)) for b in message.content if isinstance(b, _Result)),
    )


def _flat(content: str | list[_Block | _Other]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.text for block in content if isinstance(block, _Text))


def whole(conversation: Conversation, answer: Answer) -> Mapping[str, Any]:
    """The answer as one message."""
    text = [{"type": "text", "text": answer.text * answer.repeat}] if answer.text else []
    return {
        **_envelope(conversation),
        "content": [*text, *({**_tool_use(call), "input": call.input} for call in answer.calls)],
        "stop_reason": _stop_reason(answer),
        "usage": {"input_tokens": conversation.tokens(), "output_tokens": tokens(answer)},
    }


def events(conversation: Conversation, answer: Answer) -> Iterator[Event]:
    """The answer as a stream of events; `Event.tokens` says how long each took a model to say."""
    usage = {"input_tokens": conversation.tokens(), "output_tokens": 1}
    yield _event("message_start", message={**_envelope(conversation), "content": [], "usage": usage})
    if answer.text:
        yield from _text_block(answer)
    for index, call in enumerate(answer.calls, start=1 if answer.text else 0):
        yield from _tool_block(index, call)
    done = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
    yield _event("message_delta", delta=done, usage={"output_tokens": tokens(answer)})
    yield _event("message_stop")


def _text_block(answer: Answer) -> Iterator[Event]:
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for piece in text_pieces(answer):
        yield _event("content_block_delta", piece, index=0, delta={"type": "text_delta", "text": piece})
    yield _event("content_block_stop", index=0)


def _tool_block(index: int, call: Call) -> Iterator[Event]:
    yield _event("content_block_start", index=index, content_block={**_tool_use(call), "input": {}})
    for piece in json_pieces(call):
        delta = {"type": "input_json_delta", "partial_json": piece}
        yield _event("content_block_delta", piece, index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def error(status: int, kind: str, sentence: str) -> Mapping[str, Any]:
    """An error in this format."""
    return {"type": "error", "error": {"type": kind, "message": sentence}}


def _envelope(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": f"msg_rehearsal_{len(conversation.messages)}",
        "type": "message",
        "role": "assistant",
        "model": conversation.model,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _tool_use(call: Call) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.tool}


def _stop_reason(answer: Answer) -> str:
    return "tool_use" if answer.calls else "end_turn"


def _event(kind: str, said: str = "", /, **fields: Any) -> Event:
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return Event(f"event: {kind}\ndata: {data}\n\n".encode(), len(said) / 4)
