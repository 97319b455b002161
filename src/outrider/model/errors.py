"""Errors that a person gets to read. Each carries the sentence to show and, where there is one, what to do about it."""


class OutriderError(Exception):
    """Something that the caller can be told. `sentence` says what is wrong, `remedy` what to do."""

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(f"{sentence} {remedy}".strip())
        self.sentence = sentence
        self.remedy = remedy


class BadRequest(OutriderError):
    """The request itself is wrong; nothing was changed."""


class NotFound(OutriderError):
    """What was named does not exist."""


class Refused(OutriderError):
    """The request is well formed but may not be carried out in this state."""


class NotAllowed(Refused):
    """The person's role is too little for it. The remedy says who can raise it."""


class DamagedLog(Refused):
    """The log of a session cannot be read, or ends in the middle."""


class LimitReached(OutriderError):
    """A limit on size, count, time or money was reached."""


class QuotaReached(LimitReached):
    """A limit on how many or how often was reached. `retry_after` is when there is room again, in seconds, where that
    is known."""

    def __init__(self, sentence: str, remedy: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(sentence, remedy)
        self.retry_after = retry_after


class TooManyAttempts(LimitReached):
    """Somebody tries again and again. It passes by itself."""


class SandboxError(OutriderError):
    """A sandbox could not be made, reached or used."""


class SandboxLost(SandboxError):
    """The connection to a sandbox ended, or the sandbox is gone. Its files are kept."""


class EngineError(OutriderError):
    """The engine did not start, died, or broke its protocol."""


class TurnFailed(EngineError):
    """The engine lives but could not finish its turn, such as where the model refused. The sentence is its own."""


class RepositoryError(OutriderError):
    """A repository cannot be read, imported or written."""


class RecipeError(OutriderError):
    """`outrider.toml` is not valid; the sentence names the key and the line where it can."""
