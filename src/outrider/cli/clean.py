"""Text from a sandbox, made harmless for a terminal: every control sequence goes but colour and weight.

A guest's text could otherwise set the clipboard, rename the window, move the cursor over what we wrote, or hide itself.
"""

import re

from rich.text import Text

_SEQUENCE = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)"  # OSC, DCS, SOS, PM, APC with all that they carry
    r"|\x1b[ -/]*[0-~]?"  # other escapes, and one that was cut off
    r"|\x9b[0-?]*[ -/]*[@-~]?"  # CSI in one byte
    r"|[\x90\x98\x9d-\x9f].*?(?:\x07|\x1b\\|\x9c|$)",  # strings in one byte
    re.DOTALL,
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CARRIAGE = re.compile(r"[^\n]*\r(?=[^\n])")
_HARMLESS = re.compile(
    r"(?:(?:0?[0-4]|2[1-4]|3[0-79]|4[0-79]|9[0-7]|10[0-7]|[34]8[;:]5[;:]\d{1,3}|[34]8[;:]2(?:[;:]\d{1,3}){3})?(?:;|$))*"
)
"""Parameters of SGR that colour, weigh or underline. Blinking, inverting and hiding stay out."""

TAB = "    "


def clean(text: str) -> str:
    """The text without any control sequence, and with \\n as its only control character."""
    return _tidy(_SEQUENCE.sub("", _overwritten(text)))


def clean_line(text: str) -> str:
    """The same on one line."""
    return " ".join(clean(text).split())


def clean_part(text: str) -> str:
    """The same of a piece of a line: the spaces that part it from its neighbours stay."""
    return re.sub(r"\s+", " ", clean(text))


def coloured(text: str) -> Text:
    """The text with its colours kept and every other control sequence gone."""
    kept = _SEQUENCE.sub(_keep_colour, _overwritten(text))
    pieces = re.split(r"(\x1b\[[0-9;:]*m)", kept)
    return Text.from_ansi("".join(piece if i % 2 else _tidy(piece) for i, piece in enumerate(pieces)))


def _overwritten(text: str) -> str:
    """As a terminal shows carriage returns: what stands before one is written over."""
    return _CARRIAGE.sub("", text.replace("\r\n", "\n"))


def _keep_colour(found: re.Match[str]) -> str:
    if found["final"] == "m" and found["parameters"] is not None and _HARMLESS.fullmatch(found["parameters"]):
        return found[0]
    return ""


def _tidy(text: str) -> str:
    return _CONTROL.sub("", text.replace("\t", TAB)).replace("\x1b", "")
