"""Reading the recipe of a commit."""

from outrider.model.ids import CommitId, SessionId
from outrider.ports.quarantine import Quarantine
from outrider.proof.detect import DETECTED_FILES, FILE_BYTES_LIMIT, detect
from outrider.proof.recipe import RECIPE_BYTES_LIMIT, RECIPE_FILE, Recipe, parse_recipe


async def read_recipe(quarantine: Quarantine, session: SessionId, commit: CommitId) -> Recipe:
    """The recipe of a commit: from `outrider.toml`, else detected. Pass the **base** commit to judge a change.
    Raises RecipeError where `outrider.toml` is wrong, LimitReached where a file is too large."""
    text = await quarantine.read_file(session, commit, RECIPE_FILE, limit_bytes=RECIPE_BYTES_LIMIT)
    if text is not None:
        return parse_recipe(text)
    paths = await quarantine.list_files(session, commit)
    contents: dict[str, bytes] = {}
    for name in DETECTED_FILES.intersection(paths):
        content = await quarantine.read_file(session, commit, name, limit_bytes=FILE_BYTES_LIMIT)
        if content is not None:
            contents[name] = content
    return detect(frozenset(paths), contents)
