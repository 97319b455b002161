"""How OpenCode is started: nothing of it leaves the sandbox, and it asks where we want to be asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from outrider.engines.acp import AcpEngine
from outrider.engines.profile import Start
from outrider.engines.profiles.opencode import OpenCode
from outrider.model.engine import ModelRef
from outrider.model.errors import EngineError
from outrider.ports.engine import EngineLaunch

PACKAGES = Path(__file__).parents[3] / "src" / "outrider" / "fleet" / "toolbox_packages" / "package.json"


def start(model: str) -> Start:
    return OpenCode().start(EngineLaunch(model=ModelRef.parse(model), workspace="/workspace"))


def config(model: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(start(model).env["OPENCODE_CONFIG_CONTENT"])
    return parsed


@pytest.mark.parametrize(
    ("model", "npm"),
    [
        ("anthropic/claude-sonnet-4-5", "@ai-sdk/anthropic"),
        ("openai/gpt-5.1", "@ai-sdk/openai-compatible"),
        ("rehearsal/demo", "@ai-sdk/anthropic"),
    ],
)
def test_each_provider_is_reached_through_the_broker(model: str, npm: str) -> None:
    name, _, _ = model.partition("/")
    provider = config(model)["provider"][name]
    assert (provider["npm"], provider["options"]) == (
        npm,
        {"baseURL": f"http://127.0.0.1:4180/llm/{name}/v1", "apiKey": "outrider"},
    )
    assert config(model)["enabled_providers"] == [name]
    assert start(model).mcp_urls == {"outrider": "http://127.0.0.1:4180/mcp"}


def test_no_other_address_is_in_its_settings() -> None:
    text = json.dumps(config("anthropic/claude-sonnet-4-5"))
    assert text.count("http") == text.count("http://127.0.0.1:4180")


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(EngineError) as caught:
        start("acme/large")
    assert str(caught.value) == "OpenCode cannot use models of acme here. Providers are anthropic, openai, rehearsal."


def test_it_asks_before_it_changes_or_runs_anything() -> None:
    rules = list(config("rehearsal/demo")["permission"].items())
    assert rules[0] == ("*", "allow")
    assert dict(rules[1:]) == {"edit": "ask", "bash": "ask", "task": "ask", "outrider_*": "ask"}


def test_it_is_the_version_of_the_toolbox() -> None:
    files = start("rehearsal/demo").files
    ours = json.loads(files["config/opencode/package.json"])["dependencies"]["@opencode-ai/plugin"]
    assert json.loads(PACKAGES.read_text())["optionalDependencies"]["opencode-linux-x64"] == ours


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("...output truncated...\n\nFull output saved to: /home/agent/out/tool_1\n\nrest", "/home/agent/out/tool_1"),
        ("Full output saved to: relative", None),
        ("nothing of the kind", None),
    ],
)
def test_output_that_is_too_long_is_in_the_file_that_it_names(text: str, path: str | None) -> None:
    assert AcpEngine(OpenCode()).saved_output(text) == path


def test_it_knows_no_model_but_the_sessions_own() -> None:
    asked = start("rehearsal/demo")
    catalog = asked.env["OPENCODE_MODELS_PATH"].removeprefix(f"{asked.home}/")
    assert json.loads(asked.files[catalog]) == {}
    assert list(config("rehearsal/demo")["provider"]["rehearsal"]["models"]) == ["demo"]


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("anthropic/claude-opus-4-6", True),
        ("anthropic/claude-sonnet-4-5", True),
        ("anthropic/claude-3-7-sonnet-20250219", True),
        ("anthropic/claude-3-5-haiku-20241022", False),
        ("anthropic/glm-4.6", False),
        ("openai/gpt-5.1", False),
    ],
)
def test_a_claude_thinks_where_it_can(model: str, thinks: bool) -> None:
    provider, _, name = model.partition("/")
    known = config(model)["provider"][provider]["models"][name]
    assert known["reasoning"] is thinks
    assert known["variants"]["low"] == known["variants"]["medium"] == {"disabled": True}
