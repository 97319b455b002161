"""Reading the recipe of a commit."""

from collections.abc import Sequence

from pydantic import ValidationError

from outrider.model.errors import RecipeError
from outrider.model.ids import CommitId, SessionId
from outrider.ports.quarantine import Quarantine
from outrider.proof.container_files import Named, Read, read_found, read_named
from outrider.proof.container_parts import ContainerParts
from outrider.proof.detect import DETECTED_FILES, FILE_BYTES_LIMIT, detect
from outrider.proof.recipe import RECIPE_BYTES_LIMIT, RECIPE_FILE, Recipe, parse_recipe


async def read_recipe(quarantine: Quarantine, session: SessionId, commit: CommitId) -> Recipe:
    """The recipe of a commit: from `outrider.toml` and the files that it names, else from what is found and detected.
    Pass the **base** commit to judge a change. Raises RecipeError where `outrider.toml` or a file that it names is
    wrong, LimitReached where a file is too large."""

    async def read(path: str) -> bytes | None:
        return await quarantine.read_file(session, commit, path, limit_bytes=RECIPE_BYTES_LIMIT)

    text = await read(RECIPE_FILE)
    if text is not None:
        return await _named(parse_recipe(text), read)
    paths = frozenset(await quarantine.list_files(session, commit))
    contents: dict[str, bytes] = {}
    for name in DETECTED_FILES.intersection(paths):
        content = await quarantine.read_file(session, commit, name, limit_bytes=FILE_BYTES_LIMIT)
        if content is not None:
            contents[name] = content
    return _found(detect(paths, contents), await read_found(paths, read))


async def _named(recipe: Recipe, read: Read) -> Recipe:
    """With what the files say that it names; its own keys come after theirs."""
    named = Named(recipe.devcontainer, recipe.dockerfile, recipe.compose)
    return joined(recipe, await read_named(named, read)) if named.any else recipe


def _found(detected: Recipe, parts: ContainerParts) -> Recipe:
    """What was detected, on the image that was found."""
    if not parts.source:
        return _noticed(detected, parts.notices)
    sources = [source for source in (parts.source, detected.source) if source]
    try:
        made = joined(detected, parts)
    except RecipeError as error:
        return _noticed(detected, [f"Not used: {error}"])
    return made.model_copy(update={"source": " and ".join(sources)[:200], "found": True})


def joined(recipe: Recipe, parts: ContainerParts) -> Recipe:
    """A recipe on top of what container files say. Raises RecipeError where that is not within a recipe's limits."""
    values = {
        **{name: getattr(recipe, name) for name in Recipe.model_fields},
        "image": recipe.image or parts.image,
        "steps": tuple(parts.steps),
        "stacks": tuple(dict.fromkeys((*parts.stacks, *recipe.stacks))),
        "packages": tuple(dict.fromkeys((*parts.packages, *recipe.packages))),
        "setup": (*parts.setup, *recipe.setup),
        "setup_inputs": None if parts.setup and recipe.source != RECIPE_FILE else recipe.setup_inputs,
        "start": (*parts.start, *recipe.start),
        "preview": recipe.preview or tuple(parts.previews),
        "environment": {**parts.environment, **recipe.environment},
        # Both names are of the repository's own choosing; the image that they come to is one.
        "devcontainer": None,
        "dockerfile": None,
    }
    try:
        return _noticed(Recipe.model_validate(values), parts.notices)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(map(str, problem["loc"]))
        raise RecipeError(f"{parts.source}: {key}: {problem['msg']}.", "Say it in outrider.toml.") from error


def _noticed(recipe: Recipe, notices: Sequence[str]) -> Recipe:
    notice = " ".join(filter(None, (*notices, recipe.notice)))
    return recipe.model_copy(update={"notice": notice if len(notice) <= 1000 else f"{notice[:999]}…"})
