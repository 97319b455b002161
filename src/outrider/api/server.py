"""The whole ASGI application: routes behind the gate."""

from collections.abc import Iterable

from fastapi import Depends, FastAPI
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from outrider import __version__
from outrider.api.access import guard
from outrider.api.body_limit import BodyLimit
from outrider.api.feed import Feed
from outrider.api.gate import Gate
from outrider.api.list_feed import ListFeed
from outrider.api.page import page_router
from outrider.api.parts import Parts
from outrider.api.problems import add_problem_handlers
from outrider.api.routes import (
    attachments,
    backups,
    changes,
    children,
    egress,
    git,
    hooks,
    images,
    joining,
    limits,
    me,
    members,
    metrics,
    pool,
    pull_requests,
    queue,
    repositories,
    search,
    sessions,
    shelf,
    snapshots,
    transcripts,
)

ROUTES = (
    me,
    metrics,
    attachments,
    limits,
    sessions,
    queue,
    shelf,
    changes,
    members,
    joining,
    snapshots,
    children,
    transcripts,
    search,
    repositories,
    pull_requests,
    images,
    hooks,
    egress,
    pool,
    backups,
    git,
)


def build_api(parts: Parts | None = None) -> FastAPI:
    """The routes alone. Without parts they cannot be called, only described."""
    api = FastAPI(
        title="Outrider",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        dependencies=[Depends(guard)],
    )
    api.state.parts = parts
    add_problem_handlers(api)
    for routes in ROUTES:
        api.include_router(routes.router)
    api.router.routes.append(WebSocketRoute("/api/sessions/{session}/feed", Feed()))
    api.router.routes.append(WebSocketRoute("/api/feed", ListFeed()))
    api.include_router(page_router())
    return api


def build_server(parts: Parts, hosts: Iterable[str]) -> ASGIApp:
    """What uvicorn serves."""
    return Gate(BodyLimit(build_api(parts), streamed=(attachments.UPLOAD_PATH,)), parts.authenticator, hosts)
