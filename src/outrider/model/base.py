"""The one base of every parsed type."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen value that refuses unknown keys: a typing mistake at a boundary is an error, not a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")
