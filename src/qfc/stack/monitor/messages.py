"""The text of a message: what, since when, what was tried, what to type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..findings import Severity
from .model import Alert, Message

#: The first word about each kind of news, in the order of a message.
WORDS = {"raised": "NEW", "flapping": "FLAPPING", "still": "STILL", "resolved": "RESOLVED"}
ORDER = tuple(WORDS)
#: Letters of one sentence of evidence.
LONGEST = 400


@dataclass(frozen=True)
class News:
    """Something to tell of an alert, since `since_s`: raised, resolved, still open, flapping.

    `is_seen`: the last look still saw the problem.
    """

    kind: str
    alert: Alert
    since_s: float
    is_seen: bool = True

    def is_due(self, now_s: float, group_s: float) -> bool:
        """Return whether it has waited for others long enough."""
        return now_s - self.since_s >= group_s


def text(stack: str, news: Sequence[News]) -> Message:
    """Return the message about these news."""
    ordered = sorted(news, key=lambda one: (ORDER.index(one.kind), list(Severity).index(one.alert.finding.severity)))
    bad = [one for one in ordered if one.kind != "resolved"]
    severity = min((one.alert.finding.severity for one in bad), key=list(Severity).index, default=Severity.INFO)
    body = "\n\n".join(_paragraph(one) for one in ordered)
    return Message(_title(stack, ordered), body, severity, tuple(one.alert.id for one in ordered))


def joined(messages: Sequence[Message]) -> Message:
    """Return several messages as one."""
    if len(messages) == 1:
        return messages[0]
    severity = min((one.severity for one in messages), key=list(Severity).index)
    body = "\n\n".join(f"{one.title}\n{one.body}" for one in messages)
    alerts = tuple(id for one in messages for id in one.alerts)
    return Message(f"{len(messages)} messages of the monitor", body, severity, alerts)


def _title(stack: str, news: Sequence[News]) -> str:
    first = news[0]
    more = f" and {len(news) - 1} more" if len(news) > 1 else ""
    return f"{stack}: {WORDS[first.kind]} {first.alert.finding.title or first.alert.id}{more}"


def _paragraph(news: News) -> str:
    alert, finding = news.alert, news.alert.finding
    lines = [f"{WORDS[news.kind]} {alert.id} ({finding.severity}): {finding.title or alert.id}"]
    if news.kind == "resolved" and alert.closed is not None:
        lines.append(f"From {_time(alert.opened)} to {_time(alert.closed)} UTC. It was: {_cut(finding.evidence)}")
    else:
        lines.append(f"Since {_time(alert.opened)} UTC. {_cut(finding.evidence)}")
    if news.kind == "flapping":
        lines.append("It comes and goes; nothing more is told before it has been quiet for half an hour.")
    lines += [f"Tried: {one}" for one in alert.tried[-3:]]
    if news.kind != "resolved" and not news.is_seen:
        lines.append("It is not seen any more: if it stays so, there is nothing to do.")
    elif news.kind != "resolved" and finding.fix:
        lines.append(f"To do: {finding.fix}")
    return "\n".join(lines)


def _cut(evidence: str) -> str:
    return evidence if len(evidence) <= LONGEST else f"{evidence[: LONGEST - 1]}…"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
