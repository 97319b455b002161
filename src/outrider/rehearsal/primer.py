"""The primer: answers one short sentence to whatever it is asked, in every wire format. It is no model.

It stands in for a session's model while an engine is warmed up, so that no real call is made and nothing is paid.
"""

from starlette.applications import Starlette

from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.script import Script, ScriptedStep

ANSWER = "Ready."


def primer_app() -> Starlette:
    """The primer as an ASGI app with the vendors' paths."""
    said = (ScriptedStep(text=ANSWER),)
    script = Script(name="primer", title=ANSWER, prompt="Say that you are ready.", match="", steps=said)
    return rehearsal_app((script,), tokens_per_second=None)
