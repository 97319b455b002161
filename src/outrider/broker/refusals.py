"""What a vendor's refusal means, put before the vendor's own words so that a person knows what to do."""

import json

from outrider.broker.metering import json_object

_LATER = "Try again later, or take another model."

_MEANINGS = {
    401: ("The model's provider refuses the key (401).", "Correct it in the environment and start the server again."),
    402: ("The model's provider wants to be paid first (402).", ""),
    403: ("The model's provider forbids the call (403).", "See what the key may do."),
    404: ("The model's provider knows no such model or path (404).", "See the model's name and the base URL."),
    429: ("The model's provider limits how much may be asked (429).", _LATER),
    529: ("The model's provider is overloaded (529).", _LATER),
}
"""By status: what it means, and what to do once the engine has given up."""


def meaning(status: int) -> str:
    """A status in a sentence; empty where only the vendor's words say anything."""
    return _explanation(status)[0]


def explained(status: int, body: bytes) -> bytes:
    """The vendor's error with what it means before its message. Type and code stay: engines decide by them whether to
    try again. What is no error in a vendor's shape stays as it is."""
    answer = json_object(body)
    error = answer.get("error") if answer else None
    if not meaning(status) or not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return body
    message = " ".join((*filter(None, _explanation(status)), f"It says: {error['message']}"))
    return json.dumps({**(answer or {}), "error": {**error, "message": message}}).encode()


def _explanation(status: int) -> tuple[str, str]:
    trouble = (f"The model's provider has trouble of its own ({status}).", _LATER) if status >= 500 else ("", "")
    return _MEANINGS.get(status, trouble)
