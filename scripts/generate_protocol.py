"""Writes `clients/protocol/src/generated.ts` from the pydantic models: the wire has one definition, and it is Python.

    python scripts/generate_protocol.py           writes the file
    python scripts/generate_protocol.py --check   says whether it is stale, and writes nothing

Only the part of JSON Schema that pydantic emits for our models is understood; anything else is an error, not `unknown`.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from outrider.api import child_views, image_views, views
from outrider.api.list_frames import ListFrame
from outrider.api.routes import joining, members
from outrider.model.engine import ToolContent
from outrider.model.events import Event, Recorded
from outrider.model.feed import ClientFrame, ServerFrame
from outrider.model.pool import PoolReport
from outrider.model.review import PullRequestPage

TARGET = Path(__file__).resolve().parent.parent / "clients" / "protocol" / "src" / "generated.ts"
ANSWERS = (
    Recorded,
    PullRequestPage,
    views.Me,
    views.SessionStarted,
    views.SessionList,
    views.SearchHits,
    views.LimitList,
    views.SessionView,
    views.PromptAccepted,
    views.Held,
    PoolReport,
    views.Accepted,
    views.RepositoryList,
    views.PullRequestList,
    views.PullRequestAnswer,
    image_views.ImageList,
    image_views.BuildAnswer,
    members.MemberList,
    members.InviteMade,
    members.InviteList,
    joining.LinkShown,
    joining.Joined,
)
"""What the server says: every field is there, also one that has a default."""

REQUESTS = (
    views.NewSession,
    views.Typing,
    views.NewPrompt,
    views.NewPlace,
    child_views.NewChild,
    members.NewInvite,
)
"""What the clients say: a field with a default may be left out."""

UNIONS: Mapping[str, Any] = {
    "ToolContent": ToolContent,
    "Event": Event,
    "ServerFrame": ServerFrame,
    "ClientFrame": ClientFrame,
    "ListFrame": ListFrame,
}

HEADER = """\
// Generated from the pydantic models by scripts/generate_protocol.py. Do not edit: change the model and run it again.
"""

NEXT_LINE = "\n  | "

Schema = dict[str, Any]
SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def generate() -> str:
    """The whole TypeScript file."""
    answers, unions = _answers()
    requests = models_json_schema([(model, "validation") for model in REQUESTS])[1]["$defs"]
    declarations = {name: _declaration(name, schema, lenient=True) for name, schema in requests.items()}
    declarations |= {name: _declaration(name, schema, lenient=False) for name, schema in answers.items()}
    parts = [HEADER, *(text for _, text in sorted(declarations.items()))]
    parts += [
        f"export type {name} =\n  | {_type(schema).replace(' | ', NEXT_LINE)};\n" for name, schema in unions.items()
    ]
    return "\n".join(parts)


def _answers() -> tuple[dict[str, Schema], dict[str, Schema]]:
    definitions = models_json_schema([(model, "serialization") for model in ANSWERS])[1]["$defs"]
    unions = {}
    for name, union in UNIONS.items():
        schema = TypeAdapter(union).json_schema(mode="serialization")
        definitions |= schema.pop("$defs")
        unions[name] = schema
    return definitions, unions


def _declaration(name: str, schema: Schema, *, lenient: bool) -> str:
    doc = _doc(schema.get("description"), "")
    if "enum" in schema:
        return f"{doc}export type {name} = {_literals(schema['enum'])};\n"
    if schema.get("type") != "object":
        raise ValueError(f"{name} is neither an object nor an enum")
    required = schema.get("required", ()) if lenient else schema.get("properties", ())
    lines = [_member(key, value, "" if key in required else "?") for key, value in schema.get("properties", {}).items()]
    return f"{doc}export interface {name} {{\n" + "".join(lines) + "}\n"


def _member(key: str, schema: Schema, mark: str) -> str:
    return f"{_doc(schema.get('description'), '  ')}  readonly {key}{mark}: {_type(schema)};\n"


def _doc(text: str | None, indent: str) -> str:
    return f"{indent}/** {' '.join(text.split())} */\n" if text else ""


def _literals(values: list[Any]) -> str:
    return " | ".join(json.dumps(value) for value in values)


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return _literals(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(dict.fromkeys(_type(part) for part in schema[key]))
    return _plain_type(schema)


def _plain_type(schema: Schema) -> str:
    kind = schema.get("type")
    if kind in SCALARS:
        return SCALARS[kind]
    if kind == "array":
        item = _type(schema["items"])
        return f"readonly ({item})[]" if " " in item else f"readonly {item}[]"
    if kind == "object" and "additionalProperties" in schema:
        return f"Readonly<Record<string, {_type(schema['additionalProperties'])}>>"
    raise ValueError(f"cannot say this in TypeScript: {schema}")


def main() -> int:
    """Write the file, or with `--check` only compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    fresh = generate()
    if not parser.parse_args().check:
        TARGET.write_text(fresh, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == fresh:
        return 0
    print(f"{TARGET.name} is stale: run `python scripts/generate_protocol.py`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
