"""Settings are read from the environment once; what they say about models follows from what is set there."""

import pytest

from outrider.app.marks import model_marks, settings_mark
from outrider.app.way_out import upstreams
from outrider.model.errors import BadRequest
from outrider.settings import DEFAULT_MODELS, DEFAULT_PORT, Settings

CLAUDE = f"anthropic/{DEFAULT_MODELS['anthropic']}"
GPT = f"openai/{DEFAULT_MODELS['openai']}"
LOCAL = "http://127.0.0.1:8080/v1"


def read(**environment: str) -> Settings:
    return Settings.read({"OUTRIDER_HOME": "/home/of/outrider", **environment})


@pytest.mark.parametrize(
    ("environment", "model"),
    [
        ({}, "rehearsal/demo"),
        ({"ANTHROPIC_API_KEY": "a"}, CLAUDE),
        ({"OPENAI_API_KEY": "o"}, GPT),
        ({"ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "o"}, CLAUDE),
        ({"ANTHROPIC_BASE_URL": LOCAL}, CLAUDE),
        ({"OPENAI_BASE_URL": LOCAL}, GPT),
        ({"ANTHROPIC_BASE_URL": LOCAL, "OPENAI_API_KEY": "o"}, GPT),
        ({"ANTHROPIC_BASE_URL": "https://api.anthropic.com"}, "rehearsal/demo"),
        ({"ANTHROPIC_API_KEY": ""}, "rehearsal/demo"),
        ({"ANTHROPIC_API_KEY": "a", "OUTRIDER_MODEL": "openai/small"}, "openai/small"),
        ({"ANTHROPIC_API_KEY": "a", "OUTRIDER_MODEL": "rehearsal/demo"}, "rehearsal/demo"),
    ],
)
def test_the_default_model_follows_from_keys_and_addresses(
    environment: dict[str, str], model: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = read(**environment)
    assert str(settings.default_model) == model
    assert settings.chosen_model == (model if settings.model or settings.vendors else None)
    found = {one.provider: one.base_url for one in upstreams(settings, tmp_path_factory.getbasetemp())}
    assert "rehearsal" in found
    for provider in ("anthropic", "openai"):
        name, key = f"{provider}_base_url", getattr(settings, f"{provider}_api_key")
        expected = bool(key and key.get_secret_value()) or environment.get(name.upper()) == LOCAL
        assert (found.get(provider) == getattr(settings, name)) is expected, provider


def test_what_is_not_set_has_its_default_and_what_is_unknown_is_left_alone() -> None:
    settings = read(OUTRIDER_NO_SUCH_THING="1", OUTRIDER_PORT="")
    assert (settings.port, str(settings.home)) == (DEFAULT_PORT, "/home/of/outrider")
    assert Settings.read({"XDG_DATA_HOME": "/data"}).home.as_posix() == "/data/outrider"


@pytest.mark.parametrize(
    ("name", "value"), [("OUTRIDER_PORT", "no"), ("OUTRIDER_MODEL", "claude"), ("OUTRIDER_SANDBOX", "paper")]
)
def test_a_value_that_is_not_valid_is_named(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=f"{name} is not valid"):
        read(**{name: value})


def test_keys_are_in_no_text_of_the_settings_and_in_the_list_of_secrets() -> None:
    settings = read(ANTHROPIC_API_KEY="canary-a", OPENAI_API_KEY="canary-o", AWS_SECRET_ACCESS_KEY="canary-s")
    assert "canary" not in repr(settings) + str(settings)
    assert set(settings.secrets) == {"canary-a", "canary-o", "canary-s"}


def test_a_mark_tells_another_key_or_address_and_nothing_else() -> None:
    plain = model_marks(read(ANTHROPIC_API_KEY="canary"), "secret")
    assert plain == model_marks(read(ANTHROPIC_API_KEY="canary", OUTRIDER_PORT="1", OUTRIDER_MODEL="a/b"), "secret")
    assert plain.keys() == {"anthropic"}
    assert "canary" not in str(plain)
    for other, secret in (
        (read(ANTHROPIC_API_KEY="other"), "secret"),
        (read(ANTHROPIC_API_KEY="canary", ANTHROPIC_BASE_URL=LOCAL), "secret"),
        (read(ANTHROPIC_API_KEY="canary"), "other"),
    ):
        assert model_marks(other, secret) != plain


def test_the_mark_of_settings_leaves_models_and_the_shell_out() -> None:
    mark = settings_mark(read(), "secret")
    assert mark == settings_mark(read(ANTHROPIC_API_KEY="a", OUTRIDER_MODEL="a/b", OLDPWD="/", COLUMNS="9"), "secret")
    assert mark != settings_mark(read(OUTRIDER_MAX_SANDBOXES="3"), "secret")
    assert mark != settings_mark(read(https_proxy="http://proxy:3128"), "secret")
