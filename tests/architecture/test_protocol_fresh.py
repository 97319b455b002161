"""The clients' types say what the server's models say."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import get_args

from outrider.model.events import Event

ROOT = Path(__file__).resolve().parents[2]


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
