"""The JSON schema of `outrider.toml`, for editors. Published as docs/reference/outrider.schema.json."""

import json

from outrider.proof.recipe import RecipeFile


def recipe_schema() -> str:
    """The schema as text, ending with a newline."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "outrider.toml",
        **{key: value for key, value in RecipeFile.model_json_schema().items() if key != "title"},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
