"""What the engine may ask of its session through MCP. Requests of a sandbox, never acts of a person."""

from typing import Protocol


class SessionTools(Protocol):
    """The tools of one session. Each returns plain text for the engine; a refusal raises OutriderError."""

    async def run_checks(self) -> str:
        """Run the repository's checks on the committed head, in clean sandboxes, and say what they show."""

    async def open_pull_request(self, title: str, body: str) -> str:
        """Push the committed head to the session's branch and have a pull request for it. Returns its URL."""
