"""How an error becomes an answer: a status and `{sentence, remedy}`."""

import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from outrider.model.errors import (
    BadRequest,
    LimitReached,
    NotAllowed,
    NotFound,
    OutriderError,
    QuotaReached,
    Refused,
    RepositoryError,
    TooManyAttempts,
)
from outrider.model.limits import FIXED, raised_by

_STATUS: dict[type[OutriderError], int] = {
    BadRequest: 422,
    RepositoryError: 422,
    NotFound: 404,
    NotAllowed: 403,
    Refused: 409,
    TooManyAttempts: 429,
    QuotaReached: 429,
    LimitReached: 413,
}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error in one form."""
    app.add_exception_handler(OutriderError, _outrider_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)


def status_of(error: OutriderError) -> int:
    """The HTTP status that says the same."""
    return next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)


def problem(status: int, sentence: str, remedy: str = "") -> JSONResponse:
    """The one form of a refusal."""
    return JSONResponse({"sentence": sentence, "remedy": remedy}, status_code=status)


async def _outrider_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OutriderError)
    answer = problem(status_of(error), error.sentence, error.remedy)
    if isinstance(error, QuotaReached) and error.retry_after is not None:
        answer.headers["retry-after"] = str(math.ceil(error.retry_after))
    return answer


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return problem(422, describe_invalid(list(error.errors())))


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail))


def describe_invalid(errors: list[Any]) -> str:
    """One sentence about what does not fit, naming the first field; never repeats what was sent."""
    first: dict[str, Any] = errors[0] if errors else {"loc": (), "msg": "it does not fit", "type": ""}
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    limits = first.get("ctx", {})
    match first["type"]:
        case "missing":
            return f"The {place or 'request'} is missing."
        case "string_too_short" if limits.get("min_length") == 1:
            return f"The {place or 'request'} is empty."
        case "string_too_long":
            return f"The {place or 'request'} is longer than {limits['max_length']:,} characters. {raised_by(FIXED)}"
        case _:
            return f"{place or 'The request'}: {first['msg']}."
