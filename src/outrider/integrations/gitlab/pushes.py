"""Push webhooks in GitLab's wire format: the secret itself is in a header, and nothing is signed.

https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
"""

import hmac
from collections.abc import Mapping

from pydantic import BaseModel, Field, ValidationError

from outrider.model.errors import BadRequest
from outrider.model.push import Push

EVENT, TOKEN = "x-gitlab-event", "x-gitlab-token"
BRANCH = "refs/heads/"


class _Project(BaseModel):
    git_http_url: str = Field(default="", max_length=4096)
    git_ssh_url: str = Field(default="", max_length=4096)
    web_url: str = Field(default="", max_length=4096)


class _Payload(BaseModel):
    """What is used of it; a host may say more."""

    ref: str = Field(max_length=1000)
    after: str = Field(max_length=64)
    project: _Project


class GitlabPushes:
    """Implements `outrider.ports.push_format.PushFormat`."""

    def speaks(self, headers: Mapping[str, str]) -> bool:
        """Whether a request is in this form."""
        return EVENT in headers

    def is_signed(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Whoever sent it knows the secret, and says it."""
        return hmac.compare_digest(secret.encode(), headers.get(TOKEN, "").encode())

    def read(self, headers: Mapping[str, str], body: bytes) -> Push | None:
        """The push; None for an event of another kind. Raises BadRequest."""
        if headers[EVENT] != "Push Hook":
            return None
        try:
            told = _Payload.model_validate_json(body)
        except ValidationError as error:
            raise BadRequest("This is no push as GitLab describes it.") from error
        is_branch = told.ref.startswith(BRANCH) and bool(told.after.strip("0"))
        urls = (told.project.git_http_url, told.project.git_ssh_url, told.project.web_url)
        return Push(tuple(filter(None, urls)), told.ref.removeprefix(BRANCH) if is_branch else "")
