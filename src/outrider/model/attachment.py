"""Files that people send with a prompt."""

import re
import unicodedata
from typing import Annotated

from pydantic import Field, StringConstraints

from outrider.model.base import Model
from outrider.model.ids import ID_PATTERN, AttachmentId
from outrider.model.limits import FIXED, limit_reached

MOST_ATTACHMENTS = 20
"""Files of one prompt, whatever the settings say."""

LONGEST_NAME = 120
"""Of a file, in characters."""

HEAD_BYTES = 4096
"""What the type of a file is told by."""

TEXT, BYTES = "text/plain", "application/octet-stream"

IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
OTHERS = {b"%PDF-": "application/pdf", b"PK\x03\x04": "application/zip", b"\x1f\x8b": "application/gzip"}

_STRANGE = re.compile(r"[^\w .()+,=@-]")

AnyAttachmentId = Annotated[AttachmentId, StringConstraints(pattern=ID_PATTERN)]


class Attachment(Model):
    """A file of a prompt. `id` is derived from its bytes, `media_type` is what they look like."""

    id: AnyAttachmentId
    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    media_type: str = Field(max_length=100)
    size: int = Field(ge=0, description="In bytes")

    @property
    def is_image(self) -> bool:
        """Whether a browser and a model can look at it."""
        return self.media_type.startswith("image/")

    @property
    def place(self) -> str:
        """Its path below the folder of attachments: files of one name do not stand in each other's way."""
        return f"{self.id[:10]}/{self.name}"


class AttachmentRef(Model):
    """A file that was uploaded, by its id, and the name that it has in this prompt."""

    id: AnyAttachmentId
    name: str = Field(min_length=1, max_length=1000)


def media_type(head: bytes) -> str:
    """What a file is by its first bytes; what its sender says is not asked. SVG and HTML are text."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    for known in (IMAGES, OTHERS):
        for magic, kind in known.items():
            if head.startswith(magic):
                return kind
    if b"\0" in head:
        return BYTES
    try:
        head.decode()
    except UnicodeDecodeError as error:
        cut = len(head) >= HEAD_BYTES and error.start >= len(head) - 3
        return TEXT if cut else BYTES
    return TEXT


def expect_size(name: str, size: int, limit: int) -> None:
    """Raises LimitReached, with the limit and who can raise it, where a file is too large."""
    if size > limit:
        sentence = f"{clean_name(name)} is too large: an attachment may have {limit:,} bytes."
        raise limit_reached(sentence, "Send less of it.", "OUTRIDER_LIMIT_ATTACHMENT_BYTES")


def expect_few(files: int, most: int) -> None:
    """The same where a prompt has too many."""
    if files > most:
        setting = "OUTRIDER_LIMIT_ATTACHMENTS" if most < MOST_ATTACHMENTS else FIXED
        raise limit_reached(f"A prompt may have {most} attachments, and this one has more.", "Send fewer.", setting)


def clean_name(name: str) -> str:
    """A name that is safe as one part of a path, on a screen and in a header: no folder, no control, not hidden."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    safe = _STRANGE.sub("_", last).strip(" .-")
    stem, dot, ending = safe.rpartition(".")
    if dot and stem and len(ending) <= 16:
        return f"{stem[: LONGEST_NAME - len(ending) - 1].rstrip(' .')}.{ending}"
    return safe[:LONGEST_NAME].rstrip(" .") or "file"
