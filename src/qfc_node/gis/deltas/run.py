"""Apply deltas one after the other, each with its outcome, then keep all edits at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..joins import Join, joins_of
from ..port import ApplyReport, Delta, DeltaOutcome, Log, PkMap
from ..project import Project
from .applying import Applied, ConflictError, apply_edit
from .content import Edit, MalformedDeltaError, read_edit
from .created_keys import CreatedKeys
from .editing import LayerEditor, RefusedError, Store
from .feedback import outcome
from .once import apply_once
from .stores import Stores

_APPLIED = "Successfully applied delta!"


def apply_deltas(
    project: Project, deltas: Sequence[Delta], *, overwrite_conflicts: bool, known_pks: PkMap, log: Log
) -> ApplyReport:
    """Apply the deltas in order to the project's files and to the databases that the project names.

    A malformed, conflicting or refused delta gets an outcome that says so, and changes nothing. Raises OSError on a
    fault of the machine (disk full, file unreadable): the same run may succeed later.
    """
    run = _Run(project, overwrite_conflicts, CreatedKeys(known_pks))
    try:
        outcomes = [run.apply(index, delta) for index, delta in enumerate(deltas)]
        changed = run.commit()
    finally:
        run.stores.discard()
    outcomes = [
        run.final(index, delta, reached) for index, (delta, reached) in enumerate(zip(deltas, outcomes, strict=True))
    ]
    _log_outcomes(log, outcomes, changed)
    return ApplyReport(tuple(outcomes), frozenset(project.file_name(path) for path in changed))


@dataclass(frozen=True)
class ForeignFields:
    """Fields that are in no source of a layer. Older apps send their values too: nothing is lost without them."""

    calculated: frozenset[str]
    joins: Sequence[Join]

    def among(self, edit: Edit) -> frozenset[str]:
        """Return those of which the edit has values."""
        names = edit.old_attributes.keys() | edit.new_attributes.keys()
        return frozenset(
            name for name in names if name in self.calculated or any(join.gives(name) for join in self.joins)
        )


class _Run:
    def __init__(self, project: Project, overwrite_conflicts: bool, keys: CreatedKeys) -> None:
        self.stores = Stores(project)
        self._project = project
        self._overwrite_conflicts = overwrite_conflicts
        self._keys = keys
        self._editors: dict[str, tuple[Store, LayerEditor]] = {}
        self._foreign: dict[str, ForeignFields] = {}
        self._applied_to: dict[int, Store] = {}
        self._refused: dict[Store, RefusedError] = {}

    def apply(self, index: int, delta: Delta) -> DeltaOutcome:
        """Try to apply one delta."""
        try:
            edit = read_edit(delta)
        except (MalformedDeltaError, RecursionError) as error:
            return outcome(index, delta, "error", f"The delta cannot be read: {error}")
        reached = self._attempt(index, delta, edit)
        self._remember(edit, reached)
        return reached

    def _remember(self, edit: Edit, reached: DeltaOutcome) -> None:
        is_applied = reached.status == "applied"
        if edit.method == "create" and is_applied:
            self._keys.created(edit, reached.modified_pk or "")
        elif edit.method == "create" or (edit.method == "delete" and is_applied):
            self._keys.gone(edit)

    def _attempt(self, index: int, delta: Delta, edit: Edit) -> DeltaOutcome:
        try:
            applied = self._edit(index, delta.id, edit)
        except ConflictError as error:
            return outcome(index, delta, "conflict", str(error), conflicts=error.conflicts)
        except RefusedError as error:
            return outcome(index, delta, "not_applied", str(error), provider_errors=error.provider_errors)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 -- no delta may stop the others
            message = f"The delta could not be applied: {type(error).__name__}: {error}"
            return outcome(index, delta, "error", message)
        message = f"{_APPLIED} {applied.note}".rstrip()
        return outcome(index, delta, "applied", message, modified_key=applied.key, conflicts=applied.overwritten)

    def _edit(self, index: int, delta_id: str, edit: Edit) -> Applied:
        store, editor = self._editor(edit.layer_id)
        edit = edit.without(self._foreign[edit.layer_id].among(edit) - editor.schema.fields.keys())
        applied = apply_once(store, delta_id, lambda: apply_edit(editor, edit, self._keys, self._overwrite_conflicts))
        self._applied_to[index] = store
        return applied

    def _editor(self, layer_id: str) -> tuple[Store, LayerEditor]:
        if layer_id not in self._editors:
            layer = self._project.layer(layer_id)
            if layer is None:
                raise RefusedError(f'No layer with id "{layer_id}" in the project')
            self._editors[layer_id] = self.stores.editor(layer)
            self._foreign[layer_id] = ForeignFields(layer.calculated_fields, joins_of(self._project, layer))
        return self._editors[layer_id]

    def commit(self) -> set[Path]:
        """Keep the edits; a source that refuses at the last moment only loses its own deltas."""
        changed: set[Path] = set()
        for store in self.stores.all():
            try:
                changed |= store.commit()
            except RefusedError as error:
                self._refused[store] = error
            except (OSError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 -- no file may stop the others
                self._refused[store] = RefusedError(f"The edits could not be written: {type(error).__name__}: {error}")
        return changed

    def final(self, index: int, delta: Delta, reached: DeltaOutcome) -> DeltaOutcome:
        """Return the outcome after the commit."""
        store = self._applied_to.get(index)
        error = self._refused.get(store) if store else None
        if error is None:
            return reached
        return outcome(index, delta, "not_applied", str(error), provider_errors=error.provider_errors)


def _log_outcomes(log: Log, outcomes: Sequence[DeltaOutcome], changed: set[Path]) -> None:
    for reached in outcomes:
        if reached.status != "applied":
            log(f"Delta {reached.delta_id}: {reached.status}: {reached.feedback['msg']}")
    counts = ", ".join(f"{count} {status}" for status, count in Counter(o.status for o in outcomes).items())
    log(f"{len(outcomes)} deltas: {counts or 'none'}; {len(changed)} files changed")
