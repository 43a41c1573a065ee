"""What an alert sets off beside the backends' own: a command, a webhook, a notification by Apprise.

They are carried out one after another by a thread: nothing that they do, or fail to do, holds up the run.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from capture.records import said

COMMAND_LIMIT = 60.0  # seconds for a command
ANSWER_LIMIT = 10.0  # seconds for a server to answer
END_LIMIT = 15.0  # seconds at the end of a run for what is left
MOST_WAITING = 100
LONGEST = 1900  # characters; Discord takes 2,000
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

log = logging.getLogger(__name__)


class Told(NamedTuple):
    """What is known of an alert, as the receivers get it; `time` is in Unix seconds."""

    title: str
    text: str
    level: str
    time: float
    step: int | None
    epoch: float | None
    project: str
    run: str
    run_id: str
    host: str

    def sentence(self) -> str:
        """All that matters, for who has not seen the run."""
        place = "" if self.step is None else f", step {self.step}"
        return f"{said(self.title, self.text)} ({self.project}/{self.run}{place})"[:LONGEST]


class Actions:
    """Carries out the actions of one run's alerts; `notes` says what has failed."""

    def __init__(self, cwd: str, folder: str) -> None:
        """Commands are run in `cwd`, and know the run's `folder` as CAPTURE_RUN_DIR."""
        self.notes: list[str] = []
        self._cwd, self._folder = cwd, folder
        self._left: queue.Queue[tuple[Callable[..., str], str, Told]] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def start(self, asked: Mapping[str, Any], told: Told) -> None:
        """Begin with what is `asked` for: `run` a command, `webhook` and `notify` lists of addresses."""
        kinds = {"run": self._run, "webhook": _post, "notify": _notify}
        for kind, carry_out in kinds.items():
            targets = asked.get(kind) or []
            for target in [targets] if isinstance(targets, str) else targets:
                try:
                    self._left.put_nowait((carry_out, target, told))
                except queue.Full:
                    self._note(f"{kind}: {MOST_WAITING} are waiting already: left out")
        if self._thread is None and not self._left.empty():
            self._thread = threading.Thread(target=self._work, name="actions", daemon=True)
            self._thread.start()

    def finish(self, limit: float = END_LIMIT) -> None:
        """Wait for what was begun, at most `limit` seconds."""
        deadline = time.monotonic() + limit
        with self._left.all_tasks_done:
            while self._left.unfinished_tasks and (left := deadline - time.monotonic()) > 0:
                self._left.all_tasks_done.wait(left)
            if self._left.unfinished_tasks:
                self._note(f"not finished in {limit:g} s")

    def _work(self) -> None:
        while True:
            carry_out, target, told = self._left.get()
            try:
                problem = carry_out(target, told)
            except Exception as error:
                log.warning("an action", exc_info=True)
                problem = f"{type(error).__name__}: {error}"
            if problem:
                self._note(problem)
            self._left.task_done()

    def _note(self, problem: str) -> None:
        note = f"alert: {problem}"
        if note not in self.notes:
            self.notes.append(note)

    def _run(self, command: str, told: Told) -> str:
        """Run a command by the shell.  Returns what went wrong, "" for nothing."""
        facts = {f"CAPTURE_ALERT_{name.upper()}": value for name, value in told._asdict().items()}
        environ = {name: "" if value is None else str(value) for name, value in facts.items()}
        environ = {**os.environ, **environ, "CAPTURE_RUN_DIR": self._folder}
        process = subprocess.Popen(  # noqa: S602  the user's own line of shell
            command,
            shell=True,
            cwd=self._cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            start_new_session=True,
        )
        try:
            status = process.wait(COMMAND_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"run: {command}: stopped after {COMMAND_LIMIT:g} s"
        return f"run: {command}: exit status {status}" if status else ""


def _filled_in(target: str) -> str:
    """With the variables of the environment: an address is a secret that no file has to hold."""
    return _VARIABLE.sub(lambda m: os.environ.get(m[1] or m[2], m[0]), target)


def body_of(url: str, told: Told) -> dict[str, Any]:
    """The JSON that a webhook gets, in the shape that Slack and Discord ask for, else with all that is known.

    Mattermost, Rocket.Chat and others take Slack's `text` and leave the rest alone.
    Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/,
    https://discord.com/developers/docs/resources/webhook#execute-webhook
    """
    host = (urlsplit(url).hostname or "").lower()
    if host == "slack.com" or host.endswith((".slack.com", ".slack-gov.com")):
        return {"text": told.sentence()}
    if host.endswith(("discord.com", "discordapp.com")):
        return {"content": told.sentence(), "allowed_mentions": {"parse": []}}
    facts = {name: value for name, value in told._asdict().items() if name != "text"}
    return {**facts, "message": told.text, "text": told.sentence()}


def _post(url: str, told: Told) -> str:
    """Send to a webhook.  Returns what went wrong; the address is a secret, its host is not."""
    from urllib.error import HTTPError, URLError  # slow
    from urllib.request import Request, urlopen

    url = _filled_in(url)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return "webhook: " + (f"{url} is not set" if url.startswith("$") else "its address is no http(s) URL")
    data = json.dumps(body_of(url, told)).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "capture"}
    try:
        with urlopen(Request(url, data, headers), timeout=ANSWER_LIMIT):  # noqa: S310  http or https, see above
            return ""
    except HTTPError as error:
        return f"webhook: {parts.hostname} answers {error.code} {error.reason}"
    except (URLError, OSError) as error:
        return f"webhook: {parts.hostname}: {getattr(error, 'reason', error)}"


def _notify(address: str, told: Told) -> str:
    """Send by Apprise.  Returns what went wrong; the address is a secret, its scheme is not."""
    apprise: Any = importlib.import_module("apprise")  # an extra
    address = _filled_in(address)
    if address.startswith("$"):
        return f"notify: {address} is not set"
    scheme = address.partition(":")[0]
    sender = apprise.Apprise()
    if not sender.add(address):
        return f"notify: Apprise knows no such address: {scheme}:..."
    kind = {"info": "info", "warn": "warning", "error": "failure"}[told.level]
    if sender.notify(title=f"{told.project}/{told.run}", body=told.sentence(), notify_type=kind):
        return ""
    return f"notify: {scheme}: not sent, see tracker.log"
