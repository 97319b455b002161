"""OpenCode, the default engine. Nothing that it does by itself leaves the sandbox: every switch below was found by
watching what it connects to."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outrider.engines.profile import Profile, Resume, Start
from outrider.model.engine import ModelRef
from outrider.model.errors import EngineError
from outrider.model.sandbox import BROKER_PORT, ENGINE_ROLE, GUEST_HOME, TOOLBOX
from outrider.ports.engine import EngineLaunch

VERSION = "1.18.33"
"""The version that the toolbox holds and these settings were tried with."""

MCP_NAME = "outrider"
"""Put before the names of our tools: `outrider_run_checks`."""

API_KEY = "outrider"
"""No secret: the broker knows a session by the connection that a call comes over."""

_WIRES = {
    "anthropic": "@ai-sdk/anthropic",
    "openai": "@ai-sdk/openai-compatible",
    "rehearsal": "@ai-sdk/anthropic",
}

_OFF = (
    "OPENCODE_DISABLE_AUTOUPDATE",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS",
    "OPENCODE_DISABLE_LSP_DOWNLOAD",
    "OPENCODE_DISABLE_MODELS_FETCH",
    "OPENCODE_DISABLE_SHARE",
    # A repository's own settings could allow what must ask, or run plugins in the engine. This takes AGENTS.md with it,
    # which `instructions` gives back.
    "OPENCODE_DISABLE_PROJECT_CONFIG",
)

_CATALOG = "models.json"
"""An empty one, below the engine's home. OpenCode's own knows every vendor's models and costs each start a second of
one processor; the only model that a session uses is described in `_model`."""

_PERMISSIONS = {"*": "allow", "edit": "ask", "bash": "ask", "task": "ask", f"{MCP_NAME}_*": "ask"}
"""The last that fits wins. `edit` is every tool that writes."""

_THINKS = re.compile(r"anthropic/claude-(?!3-(?!7))")
"""Claude from 3.7 on: an earlier one refuses a request that lets it think. OpenAI's think unasked."""

_SAVED = re.compile(r"Full output saved to: (/[^\s\x00]{1,1000})")

PLUGIN_FILE = "config/opencode/plugins/outrider.js"
"""Below the engine's home: our part of OpenCode."""

_PLUGIN = Path(__file__).with_name("opencode_plugin.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class OpenCode(Profile):
    """`opencode acp`, its model and tools reached through the broker's port in the guest.

    `wires` says which of OpenCode's clients speaks to each provider.
    """

    name: str = "opencode"
    resume: Resume = Resume.RESUME
    asks: bool = True
    binary: str = f"{TOOLBOX}/engine/opencode/bin/opencode"
    home: str = f"{GUEST_HOME}/.outrider-engine"
    broker: str = f"http://127.0.0.1:{BROKER_PORT}"
    rehearsal_wire: str = _WIRES["rehearsal"]

    def start(self, launch: EngineLaunch) -> Start:
        """How to start it. Raises EngineError where no wire reaches the model's provider."""
        if launch.model.provider not in _WIRES:
            known = ", ".join(sorted(_WIRES))
            raise EngineError(f"OpenCode cannot use models of {launch.model.provider} here.", f"Providers are {known}.")
        return Start(
            argv=(self.binary, "acp"),
            env=self._env(launch),
            home=self.home,
            files=_files(),
            mcp_urls={MCP_NAME: f"{self.broker}/mcp"},
        )

    def saved_output(self, text: str) -> str | None:
        """It shortens output that is too long, says that at its beginning, and leaves all of it in a file."""
        found = _SAVED.search(text)
        return found[1] if found else None

    def _env(self, launch: EngineLaunch) -> dict[str, str]:
        folders = {f"XDG_{name}_HOME": f"{self.home}/{name.lower()}" for name in ("CONFIG", "DATA", "CACHE", "STATE")}
        config = json.dumps(self._config(launch))
        own = {"OPENCODE_CONFIG_CONTENT": config, "OPENCODE_MODELS_PATH": f"{self.home}/{_CATALOG}"}
        return {"OUTRIDER_ROLE": ENGINE_ROLE, **own, **folders, **dict.fromkeys(_OFF, "1")}

    def _config(self, launch: EngineLaunch) -> dict[str, Any]:
        model = str(launch.model)
        return {
            "model": model,
            "small_model": model,
            "enabled_providers": [launch.model.provider],
            "provider": {launch.model.provider: self._provider(launch.model)},
            "permission": _PERMISSIONS,
            "instructions": [f"{launch.workspace}/{name}" for name in ("AGENTS.md", "CLAUDE.md")],
            "agent": {"title": {"disable": True}},
            "snapshot": False,
            "autoupdate": False,
            "share": "disabled",
        }

    def _provider(self, model: ModelRef) -> dict[str, Any]:
        wire = self.rehearsal_wire if model.is_rehearsal else _WIRES[model.provider]
        return {
            "npm": wire,
            "name": model.provider,
            "options": {"baseURL": f"{self.broker}/llm/{model.provider}/v1", "apiKey": API_KEY},
            "models": {model.name: _model(model)},
        }


def _model(model: ModelRef) -> dict[str, Any]:
    """What OpenCode must know of a model, since it may not look it up. The least that current models of both vendors
    take and give; a larger one is used below its bounds. Of several efforts OpenCode would take the lowest."""
    return {
        "name": model.name,
        "tool_call": True,
        "reasoning": _THINKS.match(str(model)) is not None,
        "variants": {"low": {"disabled": True}, "medium": {"disabled": True}},
        "attachment": True,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "limit": {"context": 200_000, "output": 16_384},
    }


def _files() -> dict[str, str]:
    """Its settings folder. A lock file that names the plugin package keeps OpenCode from installing it from npm, which
    it else does at every start; the package holds only types."""
    package = {"dependencies": {"@opencode-ai/plugin": VERSION}}
    return {
        _CATALOG: "{}",
        "config/opencode/package.json": json.dumps(package),
        "config/opencode/package-lock.json": json.dumps({"lockfileVersion": 3, "packages": {"": package}}),
        "config/opencode/node_modules/.keep": "",
        PLUGIN_FILE: _PLUGIN,
    }
