"""What a vendor's refusal means, put before the vendor's own words so that a person knows what to do."""

import json

from outrider.broker.metering import json_object

_MEANINGS = {
    401: "The model's provider refuses the key (401). Correct it in the environment and start the server again.",
    402: "The model's provider wants to be paid first (402).",
    403: "The model's provider forbids the call (403). See what the key may do.",
    404: "The model's provider does not know the model or the path (404). See the model's name and the base URL.",
    429: "The model's provider limits how much may be asked (429). Try again later, or take another model.",
    529: "The model's provider is overloaded (529). Try again later, or take another model.",
}


def meaning(status: int) -> str:
    """A status in a sentence; empty where only the vendor's words say anything."""
    told = f"The model's provider has trouble of its own ({status}). Try again later." if status >= 500 else ""
    return _MEANINGS.get(status, told)


def explained(status: int, body: bytes) -> bytes:
    """The vendor's error with what it means before its message. Type and code stay: engines decide by them whether to
    try again. What is no error in a vendor's shape stays as it is."""
    answer = json_object(body)
    error = answer.get("error") if answer else None
    if not meaning(status) or not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return body
    message = f"{meaning(status)} It says: {error['message']}"
    return json.dumps({**(answer or {}), "error": {**error, "message": message}}).encode()
