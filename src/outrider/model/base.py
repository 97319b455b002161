"""The one base of every parsed type."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sentence = Annotated[str, Field(max_length=4096)]
"""What people read, stored."""


class Model(BaseModel):
    """A frozen value that refuses unknown keys: a typing mistake at a boundary is an error, not a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")
