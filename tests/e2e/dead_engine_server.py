"""The real server whose engine ends at its start, each time."""

import uvloop

from outrider.app.server import serve
from outrider.engines.acp import AcpEngine
from outrider.engines.profiles.opencode import OpenCode
from outrider.settings import Settings


def main() -> None:
    """Serve until told to stop."""
    uvloop.run(serve(Settings.read(), engine=AcpEngine(OpenCode(binary="/bin/false"))))
