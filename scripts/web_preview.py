"""Serves the built web client with recorded sessions, for looking at it without a sandbox, an engine or a model.

    python scripts/web_preview.py [--port 4177] [--empty] [--logged-out] [--minutes 60]

Nothing is stored and no command does anything but answer. It stops by itself after `--minutes`.
"""

import argparse
import asyncio
import json
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from web_fixture import TARGET
from web_stories.fleet import IMAGES, LIMITS, LOG, POOL
from web_stories.money import COMMITS, FILES, FIX_PROVED, LEDGER, MONEY_DIFF, PULL, TEST_DIFF
from web_stories.people import LINK_MADE, LINK_SHOWN, LINKS, MEMBERS, PRESENCE

from outrider.api.views import LimitList
from outrider.model.repository import PullRequestState

STATIC = Path(__file__).resolve().parent.parent / "src" / "outrider" / "api" / "static"
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200"><rect width="320" height="200" fill="#f4f4f2"/>'
    '<path d="M30 160h260M60 160v-90h40v90M140 160v-60h40v60M220 160v-110h40v110" stroke="#557" fill="#9ac"/></svg>'
)
TYPED = "Both round half up, not half even, so a discount of 12.5 % on €0.20 differs from the bank's by a cent. "
ROWS = [
    ("s-k4q7ab2xyz", "Shares lose a cent", "anthropic/claude-sonnet-4-5", "running", 12, "open", "fix_proved", 0.0893),
    ("s-family2345", "Give amounts a currency, everywhere", "anthropic/claude-sonnet-4-5", "running", *[None] * 3, 0.0),
    (
        "s-importeraa",
        "Teach the importer currencies",
        "anthropic/claude-sonnet-4-5",
        "idle",
        13,
        "open",
        "fix_proved",
        0.04,
    ),
    (
        "s-manualaaaa",
        "Say in the manual what a currency is",
        "anthropic/claude-sonnet-4-5",
        "running",
        *[None] * 3,
        0.0,
    ),
    ("s-redredred2", "Upgrade to Python 3.14", "anthropic/claude-sonnet-4-5", "idle", None, None, "red", 0.41),
    (
        "s-rehearsal2",
        "Demo: a forgotten discount",
        "rehearsal/demo",
        "asleep",
        None,
        None,
        "not_run",
        0.0,
    ),
]

PARENTS = {"s-family2345": "s-k4q7ab2xyz", "s-importeraa": "s-family2345", "s-manualaaaa": "s-family2345"}


class Preview:
    """The answers of a server that has three sessions."""

    def __init__(self, *, empty: bool = False, logged_out: bool = False, letters: int = 3) -> None:
        """`letters` are typed at once."""
        self._rows = [] if empty else [self._row(*row) for row in ROWS]
        for row in self._rows:
            row["parent"] = PARENTS.get(row["id"])
        self._logged_out = logged_out
        self._empty = empty
        self._letters = letters

    def routes(self, app: FastAPI) -> None:
        """Every address that the client asks for."""
        app.get("/api/me")(self.me)
        app.post("/api/logout")(self.refuse)
        app.get("/api/sessions")(self.sessions)
        app.websocket("/api/feed")(self.list_feed)
        app.get("/api/pull-requests")(self.pull_requests)
        app.get("/api/search")(self.search)
        app.get("/api/images")(self.images)
        app.get("/api/pool")(self.pool)
        app.get("/api/limits")(lambda: LimitList(limits=LIMITS))
        app.get("/api/images/builds/{build}/log")(self.build_log)
        app.get("/api/sessions/{session}")(self.session)
        app.post("/api/sessions", status_code=201)(lambda: {"session": "s-k4q7ab2xyz"})
        app.post("/api/sessions/{session}/prompts", status_code=202)(lambda: {"prompt": "q-eeee", "seq": 1})
        app.patch("/api/sessions/{session}/prompts/{prompt}")(self.refuse)
        app.post("/api/sessions/{session}/prompts/{prompt}/move")(self.refuse)
        app.post("/api/sessions/{session}/children")(self.refuse)
        app.post("/api/attachments", status_code=201)(self.uploaded)
        app.get("/api/sessions/{session}/attachments/{attachment}")(
            lambda: Response(PICTURE, media_type="image/svg+xml")
        )
        app.get("/api/repositories")(lambda: {"repositories": [LEDGER.model_dump(mode="json")]})
        app.get("/api/pull-requests/{repository}/{number}")(self.pull_request)
        app.post("/api/pull-requests/{repository}/{number}/{decision}")(self.refuse)
        for what in ("stop", "archive", "unarchive", "pin", "unpin", "rename"):
            app.post(f"/api/sessions/{{session}}/{what}")(self.refuse)
        app.get("/api/sessions/{session}/members")(lambda: MEMBERS)
        app.get("/api/sessions/{session}/links")(lambda: LINKS)
        app.post("/api/sessions/{session}/links", status_code=201)(lambda: LINK_MADE)
        app.post("/api/join/look")(lambda: LINK_SHOWN)
        app.websocket("/api/sessions/{session}/feed")(self.feed)
        app.get("/{path:path}")(self.page)

    def _row(self, *row: Any) -> dict[str, Any]:
        names = ("id", "title", "model", "status", "pull_request", "pull_request_state", "verdict", "cost_usd")
        now = datetime.now(UTC).isoformat()
        more = {"repository": "ledger", "branch": "main", "author": "Ada Mensah", "created_at": now, "updated_at": now}
        more |= {"pinned": row[0] == "s-redredred2", "seq": 1}
        return dict(zip(names, row, strict=True)) | more

    def sessions(self, state: Annotated[list[str], Query()] = (), person: str = "") -> Any:  # type: ignore[assignment]
        """Those that are wanted, as far as this preview knows how to choose."""
        rows = [row for row in self._rows if (not state or row["status"] in state) and person in ("", row["author"])]
        return {"sessions": sorted(rows, key=lambda row: not row["pinned"])}

    def me(self) -> Any:
        """Who is logged in."""
        if self._logged_out:
            return JSONResponse({"sentence": "You are not logged in.", "remedy": "Run `outrider login`."}, 401)
        models = ["anthropic/claude-sonnet-4-5", "openai/gpt-5.1", "rehearsal/demo"]
        return {
            "person": {"name": "Ada Mensah", "email": "ada@example.org"},
            "version": "0.1.0",
            "rehearsal": self._empty,
            "default_model": models[-1] if self._empty else models[0],
            "models": models[-1:] if self._empty else models,
            "isolation": "shared-kernel",
            "limit_tier": "cgroup",
            "most_attachments": 3,
            "attachment_bytes": 100_000,
            "demo": {"repository": "/home/ada/demo", "prompt": "Find the cent that is lost."} if self._empty else None,
        }

    def images(self) -> Any:
        """Images of three repositories."""
        return {"images": [], "builds_here": True} if self._empty else IMAGES.model_dump(mode="json")

    def pool(self) -> Any:
        """A pool of three, or none."""
        nothing = {"sandboxes": (), "counts": type(POOL.counts)(), "hit_rate": None}
        return (POOL.model_copy(update=nothing) if self._empty else POOL).model_dump(mode="json")

    def build_log(self) -> Any:
        """The log of a build that goes on."""
        lines = "".join(json.dumps({"line": line}) + "\n" for line in LOG)
        return PlainTextResponse(lines, media_type="application/x-ndjson")

    def search(self, q: str) -> Any:
        """Finds for every word but “nothing”."""
        if not self._rows or q == "nothing":
            return {"hits": []}
        parts = [
            {"text": "…the bank's differs by a cent when the ", "hit": False},
            {"text": q, "hit": True},
            {"text": " is rounded half to even, as Python does it by default. I look where", "hit": False},
        ]
        hits = [
            {"session": row["id"], "title": row["title"], "status": row["status"], "repository": row["repository"],
             "kind": kind, "seq": 4, "at": row["updated_at"], "snippet": parts}
            for row, kind in zip(self._rows, ("message", "prompt", "pull_request"), strict=False)
        ]  # fmt: skip
        return {"hits": hits}

    def session(self, session: str) -> Any:
        """One row."""
        row = next((row for row in self._rows if row["id"] == session), None)
        return row or JSONResponse({"sentence": "There is no such session.", "remedy": ""}, 404)

    def pull_request(self, number: int) -> Any:
        """The one pull request."""
        if number != PULL.number:
            return JSONResponse({"sentence": "There is no such pull request.", "remedy": ""}, 404)
        return {
            "pull_request": PULL.model_dump(mode="json"),
            "commits": [commit.model_dump(mode="json") for commit in COMMITS],
            "files": [file.model_dump(mode="json") for file in FILES],
            "diff": MONEY_DIFF + TEST_DIFF,
            "diff_truncated": False,
            "proof": FIX_PROVED.model_dump(mode="json"),
            "mergeable": True,
        }

    async def uploaded(self, request: Request, name: str) -> Any:
        """What a file would be."""
        size = len(await request.body())
        return {"id": "f-aaaaaaaa", "name": name, "media_type": "application/octet-stream", "size": size}

    def picture(self) -> Response:
        """What stands for every attached image."""
        return Response(PICTURE, media_type="image/svg+xml")

    def pull_requests(self) -> Any:
        """The one pull request, and an older one that was merged."""
        older = PULL.model_copy(update={"number": 9, "title": "Round half to even", "state": PullRequestState.MERGED})
        return {"pull_requests": [] if self._empty else [one.model_dump(mode="json") for one in (PULL, older)]}

    async def list_feed(self, socket: WebSocket) -> None:
        """A list in which nothing changes."""
        await socket.accept()
        await socket.send_json({"kind": "live", "seq": 0})
        await socket.receive()

    def refuse(self) -> Any:
        """Say no, so that a refusal can be looked at."""
        return JSONResponse({"sentence": "This is a preview.", "remedy": "Nothing was done."}, 409)

    async def feed(self, socket: WebSocket, session: str, after: int = 0) -> None:
        """The recorded events, then some typing."""
        tape = TARGET / f"{session}.json"
        if not tape.exists():
            await socket.close()
            return
        await socket.accept()
        events = _moved_to_now(json.loads(tape.read_text("utf-8")))
        await socket.send_json({"kind": "events", "events": [event for event in events if event["seq"] > after]})
        await socket.send_json({"kind": "drafts", "drafts": []})
        await socket.send_json({"kind": "live", "seq": len(events)})
        with suppress(WebSocketDisconnect):
            if session == ROWS[0][0]:
                await socket.send_json(PRESENCE)
                await _type(socket, len(events), self._letters)
            async for _ in socket.iter_text():
                pass

    def page(self, path: str) -> Response:
        """The built client."""
        wanted = STATIC / path
        found = wanted if path and wanted.is_file() else STATIC / "index.html"
        return FileResponse(found, headers={"content-security-policy": POLICY})


def _moved_to_now(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    shift = datetime.now(UTC) - datetime.fromisoformat(events[-1]["at"])
    return [event | {"at": (datetime.fromisoformat(event["at"]) + shift).isoformat()} for event in events]


async def _type(socket: WebSocket, seq: int, letters: int) -> None:
    delta = {"kind": "delta", "turn": "t-bbbb", "message": "m-live", "speaker": "agent", "after_seq": seq}
    for offset in range(0, len(TYPED), letters):
        await socket.send_json(delta | {"offset": offset, "text": TYPED[offset : offset + letters]})
        await asyncio.sleep(0.02)


def main() -> None:
    """Serve until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4177)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--empty", action="store_true", help="no session, and only the rehearsal model")
    parser.add_argument("--logged-out", action="store_true")
    arguments = parser.parse_args()
    app = FastAPI()
    Preview(empty=arguments.empty, logged_out=arguments.logged_out).routes(app)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=arguments.port, log_level="warning"))
    timer = threading.Timer(arguments.minutes * 60, lambda: setattr(server, "should_exit", True))
    timer.daemon = True
    timer.start()
    server.run()


if __name__ == "__main__":
    main()
