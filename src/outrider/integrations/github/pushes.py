"""Push webhooks in GitHub's wire format, which Gitea and Forgejo speak too.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
"""

import hashlib
import hmac
from collections.abc import Mapping

from pydantic import BaseModel, Field, ValidationError

from outrider.model.errors import BadRequest
from outrider.model.push import Push

EVENT, SIGNATURE = "x-github-event", "x-hub-signature-256"
BRANCH = "refs/heads/"


class _Repository(BaseModel):
    clone_url: str = Field(default="", max_length=4096)
    ssh_url: str = Field(default="", max_length=4096)
    html_url: str = Field(default="", max_length=4096)


class _Payload(BaseModel):
    """What is used of it; a host may say more."""

    ref: str = Field(max_length=1000)
    after: str = Field(max_length=64)
    deleted: bool = False
    repository: _Repository


class GithubPushes:
    """Implements `outrider.ports.push_format.PushFormat`."""

    def speaks(self, headers: Mapping[str, str]) -> bool:
        """Whether a request is in this form."""
        return EVENT in headers

    def is_signed(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """The signature is an HMAC-SHA256 over the body as it came."""
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), headers.get(SIGNATURE, "").encode())

    def read(self, headers: Mapping[str, str], body: bytes) -> Push | None:
        """The push; None for an event of another kind, such as `ping`. Raises BadRequest."""
        if headers[EVENT] != "push":
            return None
        try:
            told = _Payload.model_validate_json(body)
        except ValidationError as error:
            raise BadRequest(
                "This is no push as GitHub describes it.", "Set the webhook's content type to application/json."
            ) from error
        gone = told.deleted or not told.after.strip("0")
        branch = "" if gone or not told.ref.startswith(BRANCH) else told.ref.removeprefix(BRANCH)
        urls = (told.repository.clone_url, told.repository.ssh_url, told.repository.html_url)
        return Push(tuple(filter(None, urls)), branch)
