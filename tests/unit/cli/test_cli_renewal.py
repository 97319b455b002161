"""Which servers may be started again for a key that they lack, and what is said otherwise."""

from dataclasses import replace

import pytest

from outrider.app.home import RunningServer
from outrider.app.marks import model_marks, settings_mark
from outrider.cli.renewal import explain, lacking, may_be_replaced
from outrider.settings import Settings

SECRET = "of a home"


def read(**environment: str) -> Settings:
    return Settings.read({"OUTRIDER_HOME": "/home/of/outrider", **environment})


def started(**environment: str) -> RunningServer:
    """A detached server that was started in this environment."""
    settings = read(**environment)
    return RunningServer(
        url="http://localhost:4100",
        pid=7,
        version="1",
        detached=True,
        models=model_marks(settings, SECRET),
        settings=settings_mark(settings, SECRET),
    )


@pytest.mark.parametrize(
    ("server", "here", "missing"),
    [
        ({}, {}, ()),
        ({}, {"ANTHROPIC_API_KEY": "a"}, ("ANTHROPIC_API_KEY",)),
        ({"ANTHROPIC_API_KEY": "a"}, {"ANTHROPIC_API_KEY": "a"}, ()),
        ({"ANTHROPIC_API_KEY": "a"}, {"ANTHROPIC_API_KEY": "b"}, ("ANTHROPIC_API_KEY",)),
        ({"ANTHROPIC_API_KEY": "a"}, {}, ()),
        ({"OPENAI_API_KEY": "a"}, {"OPENAI_BASE_URL": "http://x"}, ("OPENAI_BASE_URL",)),
        (
            {},
            {"OPENAI_API_KEY": "a", "OPENAI_BASE_URL": "http://x"},
            ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
        ),
    ],
)
def test_what_a_server_lacks_is_named_by_its_variables(
    server: dict[str, str], here: dict[str, str], missing: tuple[str, ...]
) -> None:
    found = lacking(started(**server), read(**here), SECRET)
    assert tuple(name for vendor in found for name in vendor.variables) == missing
    if missing:
        said = explain(started(**server), found)
        assert " and ".join(missing) in said.sentence
        assert "outrider down && outrider up --detach" in said.remedy


def test_a_server_of_an_older_release_says_nothing_and_is_left() -> None:
    older = RunningServer(url="http://localhost:4100", pid=7, version="0")
    assert lacking(older, read(ANTHROPIC_API_KEY="a"), SECRET) == ()


def test_only_a_detached_server_that_would_lose_nothing_is_started_again() -> None:
    keyed = read(ANTHROPIC_API_KEY="a")
    assert may_be_replaced(started(), keyed, SECRET)
    assert may_be_replaced(started(ANTHROPIC_API_KEY="old"), keyed, SECRET)
    assert not may_be_replaced(replace(started(), detached=False), keyed, SECRET)
    assert not may_be_replaced(started(OPENAI_API_KEY="o"), keyed, SECRET)
    assert not may_be_replaced(started(OUTRIDER_MAX_SANDBOXES="3"), keyed, SECRET)
