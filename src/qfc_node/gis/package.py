"""Build a package: the project as a device downloads it, with its editable data in one GeoPackage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import qgs_xml
from .area import area_of_interest
from .database_layers import DatabaseLayers, described, is_copied
from .geopackage_copy import Copied
from .layers import LayerState, inspect_all, repeated
from .offline_copy import OfflineData, copy_offline
from .package_writer import PackageWriter
from .packaged_layer import make_offline, make_read_only, point_references, unwritable_fields
from .passwords import has_password, remove_passwords
from .port import Log, PackageReport
from .project import Layer, Project
from .qgs_xml import Element
from .report import layers_by_id
from .sync_settings import layer_action
from .virtual_layers import note_about

_STAYS = (
    "Warning: layer '{}' is online, so its password travels with the package, and whoever may download the package can"
    " read it. Use a service (pg_service.conf) or an authentication configuration of QGIS on the devices instead."
)
_REMOVED = "Layer '{}' cannot be used in the field: its password was removed, because its settings do not say 'online'."


@dataclass
class _Plan:
    """The treatment of the layers: each is in one of the lists. `notes` explains it to users."""

    offline: list[LayerState] = field(default_factory=list[LayerState])
    kept: list[LayerState] = field(default_factory=list[LayerState])
    left_out: list[LayerState] = field(default_factory=list[LayerState])
    notes: list[str] = field(default_factory=list[str])


def build_package(project: Project, export_dir: Path, log: Log) -> PackageReport:
    """Write the package of a project into `export_dir`. Raises GisError."""
    with DatabaseLayers(project) as databases:
        states = databases.inspect(inspect_all(project))
        before = layers_by_id(project, states.values())
        plan = _plan(states.values())
        _drop_repeated(project, plan)
        for state in plan.kept:
            _prepare_kept(project, state.layer, plan)
        writer = PackageWriter(project, export_dir, [state.layer for state in plan.kept])
        data = _copy_data(project, plan, databases, writer.data_file)
    if not data.tables:  # every layer turned out to be one that cannot be copied
        writer.data_file.unlink(missing_ok=True)
    _rewrite_layers(project, plan, data, writer.data_file_in_project)
    _rewrite_settings(project, writer.data_name if data.tables else None)
    _hide_passwords(project, plan)
    files = writer.write([state.layer for state in plan.kept])
    plan.notes += writer.notes
    _log_summary(log, plan.notes, data, len(files))
    after = layers_by_id(project, _states_after(states.values(), plan, data))
    return PackageReport(files, before, after, tuple(plan.notes))


def _drop_repeated(project: Project, plan: _Plan) -> None:
    for layer in project.repeated_layers():
        plan.notes.append(repeated(project, layer))
        qgs_xml.remove(layer.element)


def _copy_data(project: Project, plan: _Plan, databases: DatabaseLayers, target: Path) -> OfflineData:
    area = area_of_interest(project)
    data = copy_offline(plan.offline, target, area)
    if layers := described(plan.offline, databases):
        from .database_copy import copy_databases
        from .database_limits import limit_editing

        plan.notes += copy_databases(layers, target, area, data)
        for state, origin in layers:
            limit_editing(state.layer, origin.table)
    return data


def _plan(states: Iterable[LayerState]) -> _Plan:
    plan = _Plan()
    for state in states:
        _decide(state, plan)
    return plan


def _decide(state: LayerState, plan: _Plan) -> None:
    action = layer_action(state.layer)
    # A table of a database is copied in any case: devices do not reach it. A file travels as it is.
    problem = state.edit_problem if action == "offline" and not is_copied(state) else ""
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
        if reason := data.failures.get(state.layer.id):
            _keep_or_leave_out(state, plan, reason.rstrip("."))
        else:
            _rewrite(state, plan, data.tables[state.layer.id], data_file)
    point_references(project, (state.layer for state in plan.offline if state.layer.id in data.tables))
    for state in plan.left_out:
        project.remove_layer(state.layer)
    _remove_empty_groups(project)


def _keep_or_leave_out(state: LayerState, plan: _Plan, reason: str) -> None:
    """A layer whose data cannot be copied travels with its file; a table of a database stays behind."""
    if is_copied(state):
        plan.left_out.append(state)
        plan.notes.append(f"Layer '{state.layer.name}' was left out: {reason}.")
    else:
        plan.kept.append(state)
        _lock(state, plan, reason)


def _rewrite(state: LayerState, plan: _Plan, copied: Copied, data_file: Path) -> None:
    make_offline(state, copied, data_file)
    if locked := unwritable_fields(state, copied):
        plan.notes.append(
            f"Fields of layer '{state.layer.name}' are read-only in the field: {', '.join(locked)}."
            " The source fills them in itself, or the node cannot write them."
        )
    if state.edit_problem:
        _lock(state, plan, state.edit_problem)


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


def _hide_passwords(project: Project, plan: _Plan) -> None:
    """Remove every password, except of layers that are online on purpose: devices cannot open these without it."""
    layers = [state.layer for state in plan.kept if has_password(state.layer.datasource)]
    online = [layer for layer in layers if layer_action(layer) != "offline"]
    for layer in layers:
        plan.notes.append(_STAYS.format(layer.name) if layer in online else _REMOVED.format(layer.name))
    remove_passwords(project, {layer.datasource for layer in online})


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
