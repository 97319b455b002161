"""Who is there, as one quiet line below the transcript of a terminal."""

from outrider.cli.clean import clean_line
from outrider.cli.words import count
from outrider.model.feed import PresenceFrame, Watching

NAMED = 3


def present(frame: PresenceFrame) -> str:
    """Who watches and who types; nothing for a person alone."""
    if frame.count < 2:
        return ""
    watching = _names([*frame.people], frame.count)
    typing = [one for one in frame.people if one.typing]
    verb = "is" if frame.typing == 1 else "are"
    return f"Watching: {watching}" + (f" · {_names(typing, frame.typing)} {verb} typing" if typing else "")


def _names(people: list[Watching], total: int) -> str:
    names = [clean_line(one.person.name) for one in people[:NAMED]]
    rest = total - len(names)
    return ", ".join(names) + (f" and {count(rest, 'more', 'more')}" if rest else "")
