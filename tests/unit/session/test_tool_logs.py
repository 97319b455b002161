"""Output that is too long for the transcript: where all of it is, the engine says."""

import pytest

from outrider.model.engine import ToolCallUpdate, ToolText
from outrider.model.ids import ToolCallId
from outrider.session.tool_logs import TEXT_CHARACTERS, saved_path
from outrider.testing.fake_engine import SAVED, FakeEngine


class Anywhere(FakeEngine):
    """Says it in the middle of its text."""

    def saved_output(self, text: str) -> str | None:
        return "/found" if SAVED in text else None


@pytest.mark.parametrize(
    ("texts", "path"),
    [
        ([SAVED], "/found"),
        (["nothing of the kind"], None),
        (["first", f"then {SAVED}"], "/found"),
        (["x" * TEXT_CHARACTERS + SAVED], None),
        ([], None),
    ],
)
def test_the_file_is_where_the_engine_says(texts: list[str], path: str | None) -> None:
    content = tuple(ToolText(text=text) for text in texts)
    assert saved_path(ToolCallUpdate(tool_call=ToolCallId("c"), content=content), Anywhere({})) == path
