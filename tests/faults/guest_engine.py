"""An engine that speaks ACP and needs no model: a process in the sandbox that runs what a prompt asks for.

What is played is said by the word that stands first in the prompt. Each tool has a session of processes of its own, as
engines do it that people use. All that a prompt starts carries its receipt in the environment.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SESSIONS = Path(__file__).with_name("sessions")
WORK = 'n=$(ls | wc -l); echo "$n" > "file-$n-$(date +%N)" && git add -A && git commit -qm "File $n"'
STUBBORN = "trap '' TERM HUP INT; sleep 300 & sleep 300; wait"
LEAVE = (
    f'nohup sh -c "{STUBBORN}" >/dev/null 2>&1 & setsid sh -c "{STUBBORN}" >/dev/null 2>&1 & '
    "(setsid sh -c '(nohup sleep 300 &)' >/dev/null 2>&1 &); sleep 20"
)
"""One by nohup, one in a session of its own, both deaf to SIGTERM, and one whose parents are gone."""
PLAYS: dict[str, list[tuple[str, str]]] = {
    "talk": [("say", "I only talk, and this is all that I have to say about it.")],
    "work": [("say", "I write a file."), ("run", WORK), ("say", "It is committed.")],
    "wait": [("say", "I wait a moment."), ("run", "sleep 0.4"), ("say", "The moment is over.")],
    "leave": [("say", "I leave something behind."), ("run", LEAVE), ("say", "Nobody stopped me.")],
    "deaf": [("say", "I hear nothing any more."), ("deaf", ""), ("run", LEAVE)],
    "die": [("say", "I begin, and then"), ("die", "")],
}

Message = dict[str, Any]


class Engine:
    """One session, one prompt at a time."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.deaf = False
        self.tool: subprocess.Popen[bytes] | None = None
        self.session = ""
        self.replies = 0
        self.permission: Message | None = None
        self.answered = threading.Event()
        self.writing = threading.Lock()

    def write(self, message: Message) -> None:
        with self.writing:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            sys.stdout.flush()

    def update(self, kind: str, /, **fields: Any) -> None:
        params = {"sessionId": self.session, "update": {"sessionUpdate": kind, **fields}}
        self.write({"method": "session/update", "params": params})

    def hear(self, message: Message) -> None:
        """Answer, or begin to."""
        match message.get("method"):
            case "initialize":
                self.write({"id": message["id"], "result": {"protocolVersion": 1, "agentCapabilities": {}}})
            case "session/new" | "session/resume":
                self.open(message)
            case "session/prompt":
                self.cancelled.clear()
                threading.Thread(target=self.prompt, args=(message,), daemon=True).start()
            case "session/cancel" if not self.deaf:
                self.cancel()
            case None:
                self.permission = message["result"]["outcome"]
                self.answered.set()

    def open(self, message: Message) -> None:
        """It knows the sessions that it had for as long as the sandbox has its files."""
        SESSIONS.mkdir(exist_ok=True)
        wanted = message["params"].get("sessionId")
        if wanted and not (SESSIONS / wanted).exists():
            self.write({"id": message["id"], "error": {"code": -32002, "message": "No such session"}})
            return
        self.session = wanted or f"own-{os.urandom(4).hex()}"
        (SESSIONS / self.session).touch()
        self.write({"id": message["id"], "result": {} if wanted else {"sessionId": self.session}})

    def cancel(self) -> None:
        self.cancelled.set()
        self.answered.set()
        if self.tool:
            os.killpg(self.tool.pid, signal.SIGTERM)

    def prompt(self, message: Message) -> None:
        texts = [part["text"] for part in message["params"]["prompt"]]
        receipt = texts.pop()
        asked = next((text for text in reversed(texts) if first_word(text) in PLAYS), "")
        for kind, what in PLAYS.get(first_word(asked), []):
            if self.cancelled.is_set():
                break
            self.step(kind, what, receipt)
        reason = "cancelled" if self.cancelled.is_set() else "end_turn"
        self.write({"id": message["id"], "result": {"stopReason": reason}})

    def step(self, kind: str, what: str, receipt: str) -> None:
        match kind:
            case "say":
                for piece in (what[:9], what[9:]):
                    self.update("agent_message_chunk", content={"type": "text", "text": piece})
            case "run" if self.allowed(what):
                self.run(what, receipt)
            case "deaf":
                self.deaf = True
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)

    def allowed(self, what: str) -> bool:
        """Ask, as for every tool."""
        self.replies += 1
        call = {"toolCallId": f"call-{os.getpid()}-{self.replies}", "title": what, "kind": "execute"}
        self.update("tool_call", status="pending", **call)
        self.answered.clear()
        options = [{"optionId": kind, "name": kind, "kind": kind} for kind in ("allow_once", "reject_once")]
        params = {"sessionId": self.session, "toolCall": call, "options": options}
        self.write({"id": self.replies, "method": "session/request_permission", "params": params})
        self.answered.wait()
        return not self.cancelled.is_set() and (self.permission or {}).get("optionId") == "allow_once"

    def run(self, what: str, receipt: str) -> None:
        call = f"call-{os.getpid()}-{self.replies}"
        self.update("tool_call_update", toolCallId=call, status="in_progress")
        null = subprocess.DEVNULL
        environment = {**os.environ, "FAULT_RECEIPT": receipt}
        shell = ["/bin/sh", "-c", what]
        with subprocess.Popen(
            shell, env=environment, stdin=null, stdout=null, stderr=null, start_new_session=True
        ) as self.tool:
            if self.cancelled.is_set():
                os.killpg(self.tool.pid, signal.SIGTERM)
            self.tool.wait()
        self.tool = None
        self.update("tool_call_update", toolCallId=call, status="completed")


def first_word(text: str) -> str:
    return text.partition(" ")[0]


def give_up(broken: threading.ExceptHookArgs) -> None:
    """A mistake of ours is not to look like an engine that waits."""
    sys.stderr.write(f"{broken.exc_value!r}\n")
    sys.stderr.flush()
    os._exit(1)


def main() -> None:
    threading.excepthook = give_up
    engine = Engine()
    for line in sys.stdin:
        engine.hear(json.loads(line))


if __name__ == "__main__":
    main()
