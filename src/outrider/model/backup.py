"""A backup: one tar with a head, every file of a deployment that cannot be made again, and a manifest at its end."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from outrider.model.base import Model
from outrider.model.ids import SessionId

HEAD = "outrider-backup.json"
"""The first file of a backup."""

MANIFEST = "outrider-manifest.json"
"""The last one: a backup without it was cut off."""


class BackupHead(Model):
    """What it is a backup of, and roughly how much is coming."""

    format: Literal[1] = 1
    version: str = Field(description="Of Outrider")
    home: str = Field(description="Where the deployment was kept")
    started_at: datetime
    sessions: int = Field(ge=0)
    bytes: int = Field(ge=0, description="About so many bytes follow")
    snapshots: bool = Field(description="Whether the files of sandboxes are among it")
    secrets: bool = Field(description="Whether the owner's token and the logins are among it")


class BackupFile(Model):
    """One file in it."""

    name: str = Field(max_length=4096, description="Its path below the home")
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class BackupManifest(Model):
    """All that is in it, and what is not."""

    head: BackupHead
    finished_at: datetime
    files: tuple[BackupFile, ...]
    damaged: tuple[SessionId, ...] = Field(default=(), description="Logs that could not be read, kept as they are")
    without_files: tuple[SessionId, ...] = Field(
        default=(), description="Sessions whose newest snapshot is not in the blob store, so not in here"
    )


class BackupReport(Model):
    """What was found in a backup that is whole."""

    head: BackupHead
    files: int
    bytes: int
    damaged: tuple[SessionId, ...]
    without_files: tuple[SessionId, ...]
