"""Sends the files that come with a prompt."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from outrider.cli.client import Client
from outrider.model.errors import BadRequest

UPLOAD_SECONDS = 900
"""Longest silence while a file is sent."""


async def upload(client: Client, files: Sequence[Path]) -> list[dict[str, Any]]:
    """Send files one after the other; what a prompt names them by. Raises what the server refuses them for."""
    refs = []
    for file in files:
        try:
            with file.open("rb") as content:
                path = f"/api/attachments?name={quote(file.name)}"
                told = await client.ask("POST", path, _pieces(content), timeout=UPLOAD_SECONDS)
        except OSError as error:
            raise BadRequest(f"{file} cannot be read: {error.strerror}.") from error
        refs.append({"id": told["id"], "name": told["name"]})
    return refs


async def _pieces(content: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(content.read, 1 << 20):
        yield piece
