"""The clients' types say what the server's models say."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from outrider.model.events import RECORDED, Event

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = sorted((ROOT / "clients" / "sdk" / "fixtures").glob("*.json"))


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_protocol", ROOT / "scripts" / "generate_protocol.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_types_are_fresh() -> None:
    generator = load_generator()
    assert generator.TARGET.read_text(encoding="utf-8") == generator.generate(), (
        "stale: run `python scripts/generate_protocol.py`"
    )


def test_every_event_is_in_the_union() -> None:
    generated = load_generator().generate()
    union = generated.split("export type Event =")[1].split(";")[0]
    for event in get_args(get_args(Event)[0]):
        assert f"| {event.__name__}\n" in union + "\n"


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_recorded_sessions_are_still_valid(path: Path) -> None:
    events = [RECORDED.validate_json(json.dumps(row)) for row in json.loads(path.read_text(encoding="utf-8"))]
    assert [event.seq for event in events] == list(range(1, len(events) + 1)), "run `python scripts/web_fixture.py`"


def test_there_are_recorded_sessions() -> None:
    assert len(FIXTURES) >= 3
