"""Frames of the live list: one WebSocket, JSON text, downwards only.

`live` comes first: a list that is read after it and the rows that follow it together miss nothing. A row whose `seq` is
smaller than that of the row which the client has is older. After `resync` the socket closes: attach and read again.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from outrider.api.views import SessionSummary
from outrider.model.base import Model
from outrider.model.feed import LiveFrame, ResyncFrame
from outrider.session.list_feed import ROWS_AT_ONCE


class RowsFrame(Model):
    """Sessions that have changed, each as it is now."""

    kind: Literal["rows"] = "rows"
    sessions: tuple[SessionSummary, ...] = Field(max_length=ROWS_AT_ONCE)


ListFrame = Annotated[RowsFrame | LiveFrame | ResyncFrame, Field(discriminator="kind")]
LIST_FRAME: TypeAdapter[ListFrame] = TypeAdapter(ListFrame)
