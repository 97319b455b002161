"""Marks of what a server was started with, by which somebody else can tell whether their environment has the same.

A mark is a hash under a secret of the home: nobody reads a key out of it, and it is of no use anywhere else.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping

from outrider.settings import Settings

MARK_LENGTH = 32

MODELS = ("anthropic_api_key", "anthropic_base_url", "openai_api_key", "openai_base_url", "model")
"""The settings that say which models there are."""

OF_THE_TERMINAL = ("config", "server")
"""The settings that no server reads."""

CARRIED = re.compile(r"(?i)(.*_proxy|.*_ca_bundle|pip_.*|npm_config_.*|uv_.*|aws_.*|goproxy|ssl_cert_.*|node_extra_.*)")
"""Variables that are no settings of ours, and change what a server does."""


def model_marks(settings: Settings, secret: str) -> Mapping[str, str]:
    """For each vendor whose models can be used, a mark of its key and address."""
    return {
        one.provider: _mark(secret, [one.url, one.key.get_secret_value() if one.key else None])
        for one in settings.vendors
    }


def settings_mark(settings: Settings, secret: str) -> str:
    """A mark of all settings that have nothing to do with models."""
    own = settings.model_dump(mode="json", exclude={*MODELS, *OF_THE_TERMINAL, "home", "environment"})
    carried = {name: value for name, value in settings.environment.items() if CARRIED.fullmatch(name)}
    return _mark(secret, [own, carried])


def _mark(secret: str, value: object) -> str:
    text = json.dumps(value, sort_keys=True).encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()[:MARK_LENGTH]
