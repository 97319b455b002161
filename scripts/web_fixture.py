"""Recorded sessions for looking at the web client and for its tests, made of the real models so that they stay valid.

    python scripts/web_fixture.py     writes clients/sdk/fixtures/*.json

The stories are invented; every event is one that the server could have written.
"""

from pathlib import Path

from web_stories.family import family_session
from web_stories.stories import live_session, red_session, rehearsal_session

TARGET = Path(__file__).resolve().parent.parent / "clients" / "sdk" / "fixtures"


def main() -> None:
    """Write every story."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for story in (live_session, red_session, rehearsal_session, family_session):
        story().write(TARGET)


if __name__ == "__main__":
    main()
