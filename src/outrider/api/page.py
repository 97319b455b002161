"""The web client: its built files, and its page for every path that is nothing else."""

import mimetypes
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from outrider.api.problems import problem

STATIC = Path(__file__).parent / "static"

mimetypes.add_type("text/javascript", ".js")


def page_router(static: Path = STATIC) -> APIRouter:
    """Routes of the built web client. They come last: everything else has had its chance."""
    router = APIRouter(include_in_schema=False)
    root = static.resolve()

    @router.get("/{path:path}")
    async def page(path: str) -> Response:
        if path.startswith(("api/", "git/")):
            return problem(404, "There is no such address.")
        wanted = (root / path).resolve()
        if path and wanted.is_relative_to(root) and wanted.is_file():
            lasting = path.startswith("assets/")
            return FileResponse(wanted, headers={"cache-control": "max-age=31536000, immutable"} if lasting else {})
        index = root / "index.html"
        if not index.is_file():
            return problem(503, "The web client is not built.", "Run `make build`, or use `outrider attach`.")
        return FileResponse(index, headers={"cache-control": "no-cache"})

    return router
