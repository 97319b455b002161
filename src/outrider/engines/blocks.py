"""Pieces of a prompt as content blocks of ACP."""

import base64
from collections.abc import Iterable
from urllib.parse import quote

import acp.schema as wire

from outrider.ports.engine import FilePart, ImagePart, Part

Block = wire.TextContentBlock | wire.ImageContentBlock | wire.ResourceContentBlock


def blocks(parts: Iterable[Part], *, sees: bool) -> list[Block]:
    """The blocks for a prompt. An image is shown to an engine that `sees`; a text is linked. Any other file is named by
    the words of the prompt alone: OpenCode reads what a link names into the request, and a model that cannot take it
    fails the turn."""
    made: list[Block] = []
    for part in parts:
        if isinstance(part, str):
            made.append(wire.TextContentBlock(type="text", text=part))
        elif isinstance(part, ImagePart) and sees:
            made.append(_image(part))
        elif isinstance(part, FilePart) and part.media_type.startswith("text/"):
            made.append(_link(part))
    return made


def _image(part: ImagePart) -> Block:
    data = base64.b64encode(part.data).decode()
    return wire.ImageContentBlock(type="image", data=data, mime_type=part.file.media_type, uri=_uri(part.file))


def _link(file: FilePart) -> Block:
    return wire.ResourceContentBlock(
        type="resource_link", uri=_uri(file), name=file.name, mime_type=file.media_type, size=file.size
    )


def _uri(file: FilePart) -> str:
    return f"file://{quote(file.path)}"
