"""The tables and columns of this database: the names differ between the releases of QFieldCloud.

`core_project` became `project_project` in 2026, `constance_config` became `constance_constance`; newer releases store
the user who triggered a job besides the one who created it, and have file tables; only the embedded node has leases and
the list of workers. All of that is handled here: queries contain `{project}` or `{not_before}`, which become the names
in the live database, or a typed null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql

from qfc.errors import NoTablesError, QfcError

from ..sql import block

#: Our name → the names in the releases, the newest first.
TABLES: Mapping[str, tuple[str, ...]] = {
    "job": ("core_job",),
    "project": ("project_project", "core_project"),
    "user": ("core_user",),
    "organization": ("core_organization",),
    "delta": ("core_delta",),
    "apply_job": ("core_applyjob",),
    "apply_job_delta": ("core_applyjobdelta",),
    "file": ("filestorage_file",),
    "worker": ("node_worker",),
    "token": ("authentication_authtoken",),
    "subscription": ("subscription_subscription",),
    "plan": ("subscription_plan",),
    "package": ("subscription_package",),
    "package_type": ("subscription_packagetype",),
    "setting": ("constance_constance", "constance_config"),
    "file_version": ("filestorage_fileversion",),
    "cron_log": ("django_cron_cronjoblog",),
    "audit_log": ("auditlog_logentry",),
    "session": ("django_session",),
    "login_attempt": ("axes_accessattempt",),
    "member": ("core_organizationmember",),
    "collaborator": ("core_projectcollaborator",),
    "secret": ("core_secret",),
    "qgis_project": ("project_qgisproject",),
    "qgis_layer": ("project_qgislayer",),
    "account": ("core_useraccount",),
    "faulty_deltafile": ("core_faultydeltafile",),
    "project_seed": ("project_projectseed",),
}
REQUIRED = ("job", "project", "user", "organization", "delta", "apply_job", "apply_job_delta")

#: Placeholder → (alias in the query, table, columns of which the first that exists is used, type of the null without).
COLUMNS: Mapping[str, tuple[str, str, tuple[str, ...], LiteralString]] = {
    "author": ("j", "job", ("created_by_id", "triggered_by_id"), "integer"),
    "attempts": ("j", "job", ("attempts",), "smallint"),
    "not_before": ("j", "job", ("not_before",), "timestamptz"),
    "lease_expires_at": ("j", "job", ("lease_expires_at",), "timestamptz"),
    "layers": ("w", "worker", ("layers",), "jsonb"),
    "locked_at": ("p", "project", ("locked_at",), "timestamptz"),
    "problem": ("p", "project", ("problem",), "text"),
    "data_last_packaged_at": ("p", "project", ("data_last_packaged_at",), "timestamptz"),
    "data_last_updated_at": ("p", "project", ("data_last_updated_at",), "timestamptz"),
    "has_external_databases": ("pl", "plan", ("is_external_db_supported",), "boolean"),
    "file_storage_bytes": ("p", "project", ("file_storage_bytes",), "bigint"),
    "file_storage": ("p", "project", ("file_storage",), "text"),
    "project_type": ("p", "project", ("project_type",), "text"),
    "initial_status": ("pl", "plan", ("initial_subscription_status",), "text"),
    "max_members": ("pl", "plan", ("max_organization_members",), "integer"),
    "max_collaborators": ("pl", "plan", ("max_premium_collaborators_per_private_project",), "integer"),
}

#: Columns to reset when a job becomes pending again; only those that exist are set.
TRACES = ("started_at", "finished_at", "docker_started_at", "docker_finished_at", "not_before", "lease_token",
          "lease_expires_at")  # fmt: skip
COUNTERS = ("attempts", "faults")


@dataclass(frozen=True, eq=False)
class Schema:
    """The tables and columns of a database. `columns` has our names of the existing tables."""

    names: Mapping[str, str]
    columns: Mapping[str, frozenset[str]]

    def has(self, table: str, *columns: str) -> bool:
        """Return whether a table (by our name) exists and has these columns."""
        return table in self.columns and self.columns[table].issuperset(columns)

    def meets(self, needs: Iterable[str]) -> bool:
        """Return whether tables (`job`) and columns (`project.locked_at`) exist, by our names of the tables."""
        return all(self.has(*need.split(".")) for need in needs)

    @property
    def has_leases(self) -> bool:
        """Whether workers hold leases: a job can be taken from them, and they skip deltas that are already applied."""
        return self.has("job", "lease_token")

    def placeholders(self) -> dict[str, sql.Composable]:
        """Return the replacement of each placeholder in the queries."""
        tables: dict[str, sql.Composable] = {ours: sql.Identifier(theirs) for ours, theirs in self.names.items()}
        columns: dict[str, sql.Composable] = {name: self._column(name) for name in COLUMNS}
        return tables | columns | self._expressions()

    def _column(self, placeholder: str) -> sql.Composable:
        alias, table, candidates, type_name = COLUMNS[placeholder]
        for column in candidates:
            if self.has(table, column):
                return sql.Identifier(alias, column)
        return sql.SQL("null::") + sql.SQL(type_name)

    def _expressions(self) -> dict[str, sql.Composable]:
        job = self.columns["job"]
        cleared = [sql.SQL("{} = null").format(sql.Identifier(name)) for name in TRACES if name in job]
        zeroed = [sql.SQL("{} = 0").format(sql.Identifier(name)) for name in COUNTERS if name in job]
        authors = [sql.Identifier(name) for name in ("created_by_id", "triggered_by_id") if name in job]
        author = sql.SQL("coalesce(o.organization_owner_id, p.owner_id)")
        return {
            "as_new": sql.SQL(", ").join([*cleared, *zeroed, sql.SQL("container_id = ''")]),
            "author_columns": sql.SQL(", ").join(authors),
            "author_values": sql.SQL(", ").join([author] * len(authors)),
        }


def resolve(connection: psycopg.Connection[Any]) -> Schema:
    """Look up the names that this database uses. Raises NoTablesError if it has none, QfcError if it lacks some."""
    candidates = [name for names in TABLES.values() for name in names]
    query = block("database.names").text.encode()
    rows = cast("list[dict[str, Any]]", connection.execute(query, {"names": candidates}).fetchall())
    found: dict[str, list[str]] = {row["name"]: row["columns"] for row in rows}
    names = {ours: name for ours, known in TABLES.items() for name in reversed(known) if name in found}
    missing = [TABLES[name][-1] for name in REQUIRED if name not in names]
    if missing:
        # Without some of its tables it is damaged, which nobody may take for an empty one.
        raise (QfcError if found else NoTablesError)(
            f"The database has no {', '.join(missing)}: it is empty or not a QFieldCloud database.",
            hint="Type: qfc db migrate",
        )
    return Schema(names, {ours: frozenset(found[name]) for ours, name in names.items()})
