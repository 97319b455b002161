"""Webhooks as code hosts send them, and addresses in all their spellings."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from outrider.integrations.github.pushes import GithubPushes
from outrider.integrations.gitlab.pushes import GitlabPushes
from outrider.model.errors import BadRequest
from outrider.model.push import Push, address_key

SECRET = "a-secret-of-sixteen-characters"
AFTER = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
REPOSITORY = {
    "id": 186853002,
    "full_name": "Codertocat/Hello-World",
    "html_url": "https://github.com/Codertocat/Hello-World",
    "clone_url": "https://github.com/Codertocat/Hello-World.git",
    "ssh_url": "git@github.com:Codertocat/Hello-World.git",
}
URLS = (REPOSITORY["clone_url"], REPOSITORY["ssh_url"], REPOSITORY["html_url"])


def github(event: str = "push", **payload: Any) -> tuple[dict[str, str], bytes]:
    whole = {"ref": "refs/heads/main", "before": "0" * 40, "after": AFTER, "deleted": False, "commits": []}
    body = json.dumps({**whole, "repository": REPOSITORY, **payload}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-github-event": event, "x-hub-signature-256": f"sha256={signature}"}, body


def gitlab(**payload: Any) -> tuple[dict[str, str], bytes]:
    project = {"git_http_url": "https://gitlab.example/a/b.git", "git_ssh_url": "git@gitlab.example:a/b.git"}
    body = json.dumps({"object_kind": "push", "ref": "refs/heads/main", "after": AFTER, "project": project, **payload})
    return {"x-gitlab-event": "Push Hook", "x-gitlab-token": SECRET}, body.encode()


def test_a_signature_is_over_every_byte_and_with_the_secret() -> None:
    headers, body = github()
    known = GithubPushes()
    assert known.speaks(headers)
    assert known.is_signed(headers, body, SECRET)
    assert not known.is_signed(headers, body + b" ", SECRET)
    assert not known.is_signed(headers, body, SECRET + "x")
    assert not known.is_signed({"x-github-event": "push"}, body, SECRET)
    assert not known.is_signed({**headers, "x-hub-signature-256": "sha256=é"}, body, SECRET)


def test_the_signature_of_the_documentation_fits() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-github-event": "push", "x-hub-signature-256": signature}
    assert GithubPushes().is_signed(headers, b"Hello, World!", "It's a Secret to Everybody")


@pytest.mark.parametrize(
    ("payload", "branch"),
    [
        ({}, "main"),
        ({"ref": "refs/heads/feature/a"}, "feature/a"),
        ({"ref": "refs/tags/v1"}, ""),
        ({"deleted": True, "after": "0" * 40}, ""),
        ({"after": "0" * 40}, ""),
    ],
)
def test_a_push_names_its_branch_and_all_addresses(payload: dict[str, Any], branch: str) -> None:
    assert GithubPushes().read(*github(**payload)) == Push(URLS, branch)


def test_other_events_are_no_push_and_a_form_is_refused() -> None:
    assert GithubPushes().read(*github("ping")) is None
    with pytest.raises(BadRequest, match="application/json"):
        GithubPushes().read({"x-github-event": "push"}, b"payload=%7B%7D")
    with pytest.raises(BadRequest):
        GitlabPushes().read({"x-gitlab-event": "Push Hook"}, b"[]")


def test_gitlab_says_the_secret_itself() -> None:
    headers, body = gitlab()
    known = GitlabPushes()
    assert known.speaks(headers)
    assert known.is_signed(headers, body, SECRET)
    assert not known.is_signed({**headers, "x-gitlab-token": "other"}, body, SECRET)
    assert known.read(headers, body) == Push(("https://gitlab.example/a/b.git", "git@gitlab.example:a/b.git"), "main")
    assert known.read({**headers, "x-gitlab-event": "Issue Hook"}, body) is None
    gone = known.read(*gitlab(after="0" * 40))
    assert gone is not None
    assert gone.branch == ""


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/Codertocat/Hello-World",
        "https://github.com/codertocat/hello-world.git",
        "http://olga@GitHub.com:80/codertocat/hello-world/",
        "https://github.com/Codertocat/Hello-World.git/",
        "git://github.com/codertocat/hello-world.git",
        "ssh://git@github.com:22/codertocat/hello-world.git",
        "git@github.com:Codertocat/Hello-World.git",
        "github.com:codertocat/hello-world",
    ],
)
def test_all_spellings_of_an_address_are_one(address: str) -> None:
    assert address_key(address) == "github.com/codertocat/hello-world"


@pytest.mark.parametrize(
    "address", ["", "/srv/git/shop.git", "file:///srv/shop", "./a:b", "https://", "https://[/x", "x"]
)
def test_a_folder_is_no_address(address: str) -> None:
    assert address_key(address) == ""
