"""Output that is too long for the transcript: found, bounded, kept without secrets."""

import pytest

from outrider.model.engine import ToolCallUpdate, ToolText
from outrider.model.ids import ToolCallId
from outrider.session.tool_logs import saved_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("...output truncated...\n\nFull output saved to: /home/agent/out/tool_1\n\nrest", "/home/agent/out/tool_1"),
        ("Full output saved to: relative", None),
        ("nothing of the kind", None),
        ("x" * 3000 + "Full output saved to: /late", None),
    ],
)
def test_the_file_is_where_the_engine_says(text: str, path: str | None) -> None:
    assert saved_path(ToolCallUpdate(tool_call=ToolCallId("c"), content=(ToolText(text=text),))) == path
