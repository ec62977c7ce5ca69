"""Build a package: the project as a device downloads it, with its editable data in one GeoPackage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import qgs_xml
from .area import area_of_interest
from .layers import LayerState, inspect_all
from .offline_copy import OfflineData, copy_offline
from .package_writer import PackageWriter
from .packaged_layer import make_offline, make_read_only, point_references, unwritable_fields
from .port import Log, PackageReport
from .project import Layer, Project
from .qgs_xml import Element
from .report import layers_by_id
from .sync_settings import layer_action
from .virtual_layers import note_about


@dataclass
class _Plan:
    """The treatment of the layers: each is in one of the lists. `notes` explains it to users."""

    offline: list[LayerState] = field(default_factory=list[LayerState])
    kept: list[LayerState] = field(default_factory=list[LayerState])
    left_out: list[LayerState] = field(default_factory=list[LayerState])
    notes: list[str] = field(default_factory=list[str])


def build_package(project: Project, export_dir: Path, log: Log) -> PackageReport:
    """Write the package of a project into `export_dir`. Raises GisError."""
    states = inspect_all(project)
    before = layers_by_id(project, states.values())
    plan = _plan(states.values())
    for state in plan.kept:
        _prepare_kept(project, state.layer, plan)
    writer = PackageWriter(project, export_dir, [state.layer for state in plan.kept])
    data = copy_offline(plan.offline, writer.data_file, area_of_interest(project))
    _rewrite_layers(project, plan, data, writer.data_file_in_project)
    _rewrite_settings(project, writer.data_name if data.tables else None)
    files = writer.write([state.layer for state in plan.kept])
    _log_summary(log, plan.notes, data, len(files))
    after = layers_by_id(project, _states_after(states.values(), plan, data))
    return PackageReport(files, before, after, tuple(plan.notes))


def _plan(states: Iterable[LayerState]) -> _Plan:
    plan = _Plan()
    for state in states:
        _decide(state, plan)
    return plan


def _decide(state: LayerState, plan: _Plan) -> None:
    action = layer_action(state.layer)
    problem = state.edit_problem if action == "offline" else ""
    if state.is_localized:
        plan.kept.append(state)
    elif action == "remove":
        plan.left_out.append(state)
        plan.notes.append(f"Layer '{state.layer.name}' was left out: its settings say so.")
    elif not state.is_valid:
        plan.left_out.append(state)
        plan.notes.append(f"Layer '{state.layer.name}' was left out: {state.message}")
    elif action == "offline" and not problem:
        plan.offline.append(state)
    else:
        plan.kept.append(state)
        if problem:
            _lock(state, plan, problem)


def _prepare_kept(project: Project, layer: Layer, plan: _Plan) -> None:
    """Make a layer that keeps its source work on a device, and note what does not."""
    if note := note_about(project, layer):
        plan.notes.append(note)
    if layer.has_backslashes:
        layer.set_source(layer.source, layer.provider)
        plan.notes.append(
            f"Layer '{layer.name}': its path has backslashes, which only Windows reads; they are slashes now."
        )


def _lock(state: LayerState, plan: _Plan, reason: str) -> None:
    make_read_only(state.layer, key_is_missing=state.lacks_key)
    plan.notes.append(f"Layer '{state.layer.name}' is read-only in the field: {reason}.")


def _rewrite_layers(project: Project, plan: _Plan, data: OfflineData, data_file: Path) -> None:
    for state in plan.offline:
        reason = data.failures.get(state.layer.id)
        if reason is not None:
            plan.kept.append(state)
            _lock(state, plan, reason.rstrip("."))
            continue
        copied = data.tables[state.layer.id]
        make_offline(state, copied, data_file)
        if locked := unwritable_fields(state, copied):
            plan.notes.append(
                f"Fields of layer '{state.layer.name}' are read-only in the field: {', '.join(locked)}."
                " The source fills them in itself, or the node cannot write them."
            )
    point_references(project, (state.layer for state in plan.offline if state.layer.id in data.tables))
    for state in plan.left_out:
        project.remove_layer(state.layer)
    _remove_empty_groups(project)


def _remove_empty_groups(project: Project) -> None:
    tree = project.root.find("layer-tree-group")
    groups: list[Element] = [] if tree is None else tree.findall(".//layer-tree-group")
    for group in groups:
        if group.find(".//layer-tree-layer") is None:
            qgs_xml.remove(group)


def _rewrite_settings(project: Project, data_name: str | None) -> None:
    """Switch off transaction groups and defaults by the provider, because neither works offline."""
    root, entries = project.root, project.entries
    entries.set_flag("Paths", "Absolute", False)
    if data_name:
        entries.set_text("OfflineEditingPlugin", "OfflineDbPath", f"./{data_name}")
    for tag in ("autotransaction", "evaluateDefaultValues"):
        qgs_xml.child(root, tag).set("active", "0")
    if (transaction := root.find("transaction")) is not None:
        transaction.set("mode", "Disabled")
    if (flags := root.find("projectFlags")) is not None:
        kept = [flag for flag in (flags.get("set") or "").split(";") if not flag.startswith("EvaluateDefault")]
        flags.set("set", ";".join(kept))


def _states_after(states: Iterable[LayerState], plan: _Plan, data: OfflineData) -> list[LayerState]:
    left_out = {state.layer.id for state in plan.left_out}
    after: list[LayerState] = []
    for state in states:
        copied = data.tables.get(state.layer.id)
        if state.layer.id not in left_out:
            after.append(replace(state, key=copied.key) if copied else state)
    return after


def _log_summary(log: Log, notes: list[str], data: OfflineData, files: int) -> None:
    for note in notes:
        log(note)
    features = {copied.table: copied.feature_count for copied in data.tables.values()}
    log(f"Packaged {len(features)} tables with {sum(features.values())} features, {files} files.")
