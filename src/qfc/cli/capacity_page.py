"""The report of capacity as one page of HTML: plots are SVG in it, and it loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ..operations.capacity_report import Report
from ..stack.capacity import SCENARIOS, Hour
from .output import bytes_text, seconds_text, time_text

Text = Callable[[float], str]
WIDTH, HEIGHT, LEFT = 720, 140, 70
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:780px;margin:2em auto;padding:0 1em;color:#1b2a33;background:#fff}
h1{font-size:1.5em}h2{font-size:1.1em;margin-top:2em}table{border-collapse:collapse}
td,th{padding:.2em .8em .2em 0;text-align:left;vertical-align:top}td.n,th.n{text-align:right}
svg{display:block;width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:#5b6b75}
.bar{fill:#2f7d8c}.line{stroke:#d7dee2}.chosen{background:#e3f1f3}.missing{background:#fff3d6;padding:.5em .8em}
@media print{body{margin:0}}
"""


def page(result: Report, stack: str) -> str:
    """Return the page."""
    title = f"Capacity of {escape(stack)}"
    parts = (
        _missing(result),
        _facts(result),
        _scenarios(result),
        _week(result.week),
        _service(result),
        _projects(result),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{''.join(parts)}</body></html>\n"
    )


def _missing(result: Report) -> str:
    texts = [*result.missing]
    if result.backtest.trusted is False:
        texts.append(f"Predictions for this stack cannot be trusted: {result.backtest.why}")
    return "".join(f'<p class="missing">{escape(text)}</p>' for text in texts)


def _facts(result: Report) -> str:
    seen, used = result.observed, result.utilisation
    looked = f"{result.queue.average:.1f} on average, at most {result.queue.peak}"
    facts = [
        ("Recorded", f"{seen.jobs} jobs in {result.recorded_days:.1f} days, {seen.arrival_per_h:.1f} per hour"),
        ("Workers", f"{result.workers}" + ("" if used is None else f", {used:.0%} of their time used")),
        ("Memory of a worker", bytes_text(result.memory_per_worker)),
        ("Work", f"half within {seconds_text(seen.service_p50_s)}, 95 % within {seconds_text(seen.service_p95_s)}"),
        ("Wait", f"95 % within {seconds_text(seen.wait_p95_s)}"),
        ("Queue", f"{looked} (at {result.queue.number} looks)"),
        ("Succeeded", "-" if result.success_rate is None else f"{result.success_rate:.1%}"),
    ]
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts)
    return f"<table>{rows}</table>"


def _scenarios(result: Report) -> str:
    chosen = result.scenario.letter if result.scenario else ""
    rows = "".join(
        f"<tr{' class=chosen' if one.letter == chosen else ''}><th>{one.letter}</th><td>{escape(one.when)}</td>"
        f"<td>{escape(one.action)} {escape(one.capacity)}</td></tr>"
        for one in SCENARIOS.values()
    )
    return f"<h2>Scenario {chosen or 'not known'}</h2><table>{rows}</table>"


def _week(hours: Sequence[Hour]) -> str:
    if not hours:
        return ""
    days = [(number, f"{hour.begin:%a %d}") for number, hour in enumerate(hours) if hour.begin.hour == 0]
    depth = _plot([hour.queue for hour in hours], days, lambda value: f"{value:.0f}")
    waits = _plot([hour.wait_p95_s for hour in hours], days, seconds_text)
    since = time_text(hours[0].begin)
    return (
        f"<h2>Longest queue of each hour, since {since} UTC</h2>{depth}"
        f"<h2>Wait of each hour's jobs, 95 % within</h2>{waits}"
    )


def _service(result: Report) -> str:
    names = ["longer" if one.below_s is None else f"&lt; {seconds_text(one.below_s)}" for one in result.service_times]
    shown = _plot([one.jobs for one in result.service_times], list(enumerate(names)), lambda value: f"{value:.0f}")
    return f"<h2>How long jobs take</h2>{shown}" if result.service_times else ""


def _projects(result: Report) -> str:
    projects = result.figures.projects
    top = max((one.load for one in projects), default=0) or 1
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td class=n>{one.jobs}</td><td class=n>{one.load:.3f}</td>"
        f'<td><svg viewBox="0 0 200 12" style="width:200px"><rect class="bar" width="{200 * one.load / top:.1f}" '
        'height="12"/></svg></td></tr>'
        for one in projects
    )
    head = "<tr><th>Project</th><th class=n>Jobs</th><th class=n>Workers kept busy</th><th></th></tr>"
    return f"<h2>Load by project</h2><table>{head}{rows}</table>" if projects else ""


def _plot(values: Sequence[float], names: Sequence[tuple[int, str]], text: Text) -> str:
    """Return bars from the left to the right, with names below some of them and the greatest value beside them."""
    top, step = max(values, default=0) or 1, (WIDTH - LEFT) / max(len(values), 1)
    bars = "".join(
        f'<rect class="bar" x="{LEFT + step * number:.1f}" y="{HEIGHT - HEIGHT * value / top:.1f}" '
        f'width="{max(step - 1, 1):.1f}" height="{HEIGHT * value / top:.1f}"/>'
        for number, value in enumerate(values)
        if value > 0
    )
    below = "".join(f'<text x="{LEFT + step * number:.1f}" y="{HEIGHT + 16}">{name}</text>' for number, name in names)
    lines = "".join(f'<line class="line" x1="{LEFT}" x2="{WIDTH}" y1="{y}" y2="{y}"/>' for y in (0, HEIGHT))
    scale = f'<text x="0" y="4">{text(top)}</text><text x="0" y="{HEIGHT}">0</text>'
    return f'<svg viewBox="0 -14 {WIDTH} {HEIGHT + 36}" role="img">{lines}{scale}{bars}{below}</svg>'
