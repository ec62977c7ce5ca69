"""What people are told of maintenance, by the routes of alerts: reports of usage, and daily rounds that failed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ...errors import QfcError
from ...stack.findings import Severity
from ...stack.maintenance import Run, round_text
from ...stack.monitor import Message
from ...stack.ports import Ports, Post
from ..guard import Options
from ..monitor.trial import tried
from .stats import FOLDER, last_text, remove_old
from .steps import SkippedError, Step, StepFailedError

ROUNDS = "daily"


def sending(posts: Sequence[Post]) -> Step:
    """Return the step that sends the report that was just written."""

    def send(ports: Ports, options: Options) -> str:
        del options
        if not posts:
            raise SkippedError("No route for messages is configured: [notify].")
        errors = _sent(ports, posts, Message(f"{ports.name}: usage", last_text(ports), Severity.INFO))
        if errors:
            raise StepFailedError(" ".join(errors))
        return f"Sent by {', '.join(post.name for post in posts)}."

    return Step("send", send, needs="report")


def report_round(ports: Ports, run: Run, posts: Sequence[Post]) -> None:
    """Write what a daily round did, and send it if something failed. What cannot be told is in the history anyway."""
    text = round_text(ports.name, run)
    with suppress(QfcError):
        ports.records.write_text(f"{FOLDER}/{ROUNDS}-{run.began_at:%Y%m%d-%H%M%S}.md", text)
        remove_old(ports, ROUNDS, files=1)
    if run.result == "failed":
        _sent(ports, posts, Message(f"{ports.name}: the daily maintenance failed", text, Severity.WARNING))


def _sent(ports: Ports, posts: Sequence[Post], message: Message) -> list[str]:
    """Send a message by every route; return what went wrong."""
    results = [tried(post, message, ports.here.name) for post in posts]
    return [f"{one.route}: {one.error}" for one in results if not one.ok]
