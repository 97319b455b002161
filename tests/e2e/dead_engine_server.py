"""The real server whose engine ends at its start, each time: `python -m tests.e2e.dead_engine_server`."""

import uvloop

from outrider.app.server import serve
from outrider.engines.acp import AcpEngine
from outrider.engines.profiles.opencode import OpenCode
from outrider.settings import Settings

if __name__ == "__main__":
    uvloop.run(serve(Settings.read(), engine=AcpEngine(OpenCode(binary="/bin/false"))))
