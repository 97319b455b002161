"""The primer: has a shell do nothing and says that it is ready, whatever it is asked, in every wire format. It is no
model.

It stands in for a session's model while an engine is warmed up, so that no real call is made and nothing is paid. The
shell is there because engines load a parser of shell commands at the first one.
"""

from starlette.applications import Starlette

from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.script import Script, ScriptedCall, ScriptedStep

ANSWER = "Ready."


def primer_app() -> Starlette:
    """The primer as an ASGI app with the vendors' paths."""
    shell = ScriptedCall(tool="bash", input={"command": "true", "description": "Does nothing"})
    said = (ScriptedStep(calls=(shell,)), ScriptedStep(text=ANSWER))
    script = Script(name="primer", title=ANSWER, prompt="Say that you are ready.", match="", steps=said)
    return rehearsal_app((script,), tokens_per_second=None)
