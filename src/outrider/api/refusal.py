"""A refusal sent over raw ASGI, of a request or of a WebSocket's handshake: a status and `{sentence, remedy}`."""

import json
from typing import Any

from starlette.types import Scope, Send

LONGEST_REASON = 120
"""A close frame's reason holds 123 bytes."""


async def refuse(scope: Scope, send: Send, status: int, sentence: str, remedy: str = "") -> None:
    """Refuse a request, or a WebSocket that was not accepted yet. A server that cannot answer a handshake with a body
    closes it, with 4000 above the status."""
    if scope["type"] == "http":
        kind = "http.response"
    elif "websocket.http.response" in scope.get("extensions", {}):
        kind = "websocket.http.response"
    else:
        await send({"type": "websocket.close", "code": 4000 + status, "reason": sentence[:LONGEST_REASON]})
        return
    body = json.dumps({"sentence": sentence, "remedy": remedy}).encode()
    headers: list[Any] = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401 and scope["path"].startswith("/git/"):
        headers.append((b"www-authenticate", b'Basic realm="Outrider"'))
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
