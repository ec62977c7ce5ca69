"""What an agent can read: resources about a stack and about qfc itself, and prompts for the usual situations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ..checks import EVERYTHING
from .tools import Command

JSON, MARKDOWN = "application/json", "text/markdown"


@dataclass(frozen=True)
class Readable:
    """A resource. `command` is the name of the tool whose answer it is; empty for a text of qfc's own."""

    uri: str
    title: str
    mime: str
    command: str = ""


RESOURCES = (
    Readable("qfc://status", "Services, queue and disk of the default stack", JSON, "status"),
    Readable("qfc://queue", "Waiting and running jobs of the default stack, and why they wait", JSON, "sync_queue"),
    Readable("qfc://stacks", "The configured stacks, without secrets", JSON, "stacks"),
    Readable("qfc://audit", "What was done to the default stack, by whom", JSON, "audit"),
    Readable("qfc://checks", "The known problems: how serious, and what to do", JSON),
    Readable("qfc://commands", "All commands with their options", MARKDOWN),
)


def checks_document() -> str:
    """Return the known problems as JSON."""
    rows = [
        {
            "id": check.id,
            "problems": check.known_as(),
            "title": check.title,
            "severity": check.severity.value,
            "fix": check.fix,
            "auto": check.auto.value,
        }
        for check in EVERYTHING
    ]
    return json.dumps({"checks": rows}, ensure_ascii=False)


def commands_document(commands: Mapping[str, Command]) -> str:
    """Return all commands of a server as Markdown."""
    parts = ["# Commands of qfc", ""]
    for command in commands.values():
        parts += [f"## {command.path}", "", f"Tool `{command.name}`. {command.description}", ""]
        parts += [f"- `{one.name}`: {getattr(one, 'help', None) or one.metavar or ''}" for one in command.parameters]
        parts.append("")
    return "\n".join(parts)


@dataclass(frozen=True)
class Guide:
    """A prompt: steps for a situation, each with the tool to use."""

    name: str
    title: str
    steps: tuple[str, ...]

    @property
    def text(self) -> str:
        """The prompt as it is sent."""
        numbered = [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([f"{self.title}. Take these steps in order, and say what each one showed.", *numbered, *RULES])


RULES = (
    "A tool that changes something first answers with a plan and a plan_id, and changes nothing. Show the plan; call "
    "the same tool with that plan_id alone to apply it. If it is refused because the state has moved, plan again.",
    "Where a check says unknown, it could not look: find out why before you change anything.",
)
GUIDES = (
    Guide(
        "sync_does_not_complete",
        "Synchronisation starts and does not complete",
        (
            "status: are all services running, is the disk full, do jobs wait?",
            "sync_queue: what does each job wait for? For a free worker, for a job of its project, for a lock?",
            "sync_diagnose: read every finding of severity critical first, with its evidence and fix.",
            "sync_diagnose with fix=true, where a finding can be repaired (auto is safe or ask).",
            "jobs_cleanup: frees jobs whose worker is proven dead; their edits are kept.",
            "sync_failed with hours=24: what is left, by cause. Those of the project or client are for their owners.",
            "sync_diagnose again: nothing critical may be left.",
        ),
    ),
    Guide(
        "before_an_upgrade",
        "Another release is about to be deployed",
        (
            "status and doctor: deploy only from a healthy stack; name every finding that is left.",
            "services_disk: is there room for images and for the copy of the database?",
            "sync_queue: choose a moment when few jobs run; notice tells people beforehand.",
            "deploy with the tag: the plan names the checks and steps. Read the checks that fail; do not skip them.",
            "Apply the plan. If it says rolled_back, the old release runs again: report the failed step.",
            "health and sync_diagnose: the new release synchronises.",
        ),
    ),
    Guide(
        "edits_are_missing",
        "Edits of the field are not in the data",
        (
            "deltas_list with status error, then not_applied, then conflict: which edits, of whom, in which project?",
            "deltas_show for one of each kind: the feedback says why.",
            "sync_queue: do jobs of that project wait?",
            "When the cause is gone: deltas_reapply. Edits that may be in the data already are left out, and named.",
        ),
    ),
)
