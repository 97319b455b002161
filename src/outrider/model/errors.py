"""Errors that a person gets to read. Each carries the sentence to show and, where there is one, what to do about it."""


class OutriderError(Exception):
    """Something that the caller can be told. `sentence` says what is wrong, `remedy` what to do."""

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(f"{sentence} {remedy}".strip())
        self.sentence = sentence
        self.remedy = remedy


class BadRequest(OutriderError):  # noqa: N818 - named as HTTP names it
    """The request itself is wrong; nothing was changed."""


class NotFound(OutriderError):  # noqa: N818
    """What was named does not exist."""


class Refused(OutriderError):  # noqa: N818
    """The request is well formed but may not be carried out in this state."""


class LimitReached(OutriderError):  # noqa: N818
    """A limit on size, count, time or money was reached."""


class SandboxError(OutriderError):
    """A sandbox could not be made, reached or used."""


class SandboxLost(SandboxError):  # noqa: N818
    """The connection to a sandbox ended, or the sandbox is gone. Its files are kept."""


class EngineError(OutriderError):
    """The engine did not start, died, or broke its protocol."""


class RepositoryError(OutriderError):
    """A repository cannot be read, imported or written."""


class RecipeError(OutriderError):
    """`outrider.toml` is not valid; the sentence names the key and the line where it can."""
