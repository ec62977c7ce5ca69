"""The result for readers (a rich table) and for programs (plain values)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from .results import ScenarioResult, Step


def step_line(step: Step) -> Table:
    """Return one line for a step that was just taken; a long detail wraps."""
    line = Table.grid(padding=(0, 1))
    for width in (1, 26, 8, None):
        line.add_column(width=width, no_wrap=width is not None)
    mark = Text("✓", "green") if step.ok else Text("✗", "bold red")
    line.add_row(mark, step.name, Text(f"{step.seconds:.2f} s", justify="right"), Text(step.detail, "dim"))
    return line


def summary_table(result: ScenarioResult) -> Table:
    """Return the table of all steps with their times, and the verdict."""
    title = "The demo: two devices, one worker killed"
    table = Table(title=title, show_footer=True, title_justify="left")
    table.add_column("step", footer=_verdict(result), no_wrap=True)
    table.add_column("seconds", footer=f"{result.seconds:.2f}", justify="right")
    table.add_column("result", footer=_counts(result))
    for step in result.steps:
        style = "" if step.ok else "bold red"
        table.add_row(step.name, f"{step.seconds:.2f}", Text(step.detail), style=style)
    return table


def as_dict(result: ScenarioResult) -> dict[str, Any]:
    """Return plain values for JSON."""
    return {
        "ok": result.ok,
        "url": result.url,
        "project_id": result.project_id,
        "seconds": round(result.seconds, 3),
        "steps": [{**asdict(step), "seconds": round(step.seconds, 3)} for step in result.steps],
        "timings": {name: round(seconds, 3) for name, seconds in result.timings.items()},
        "deltas": dict(result.deltas),
        "features": dict(result.features),
        "kill": asdict(result.kill) if result.kill else None,
    }


def _verdict(result: ScenarioResult) -> Text:
    return Text("passed", style="bold green") if result.ok else Text("FAILED", style="bold red")


def _counts(result: ScenarioResult) -> str:
    deltas = ", ".join(f"{count} {status}" for status, count in sorted(result.deltas.items()))
    return f"deltas: {deltas}" if deltas else ""
