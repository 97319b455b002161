"""What has become of the files of a workspace since the session's base commit, committed or not, as the guest says."""

from pydantic import Field

from outrider.model.base import Model
from outrider.model.repository import CommitHash, FileKind

FILES_SHOWN = 500


class ChangedFile(Model):
    """One file. `added` and `deleted` are lines; None for a binary file, or where they are not known."""

    path: str = Field(max_length=4096)
    kind: FileKind
    added: int | None = Field(default=None, ge=0)
    deleted: int | None = Field(default=None, ge=0)


class Changes(Model):
    """All files that differ, in the order of their paths; `count` says how many there are where some are left out."""

    base: CommitHash
    files: tuple[ChangedFile, ...] = Field(max_length=FILES_SHOWN)
    count: int = Field(ge=0)
    added: int = Field(ge=0, description="Lines, of all files together")
    deleted: int = Field(ge=0)
