"""What servers and sets have: rows per table and objects, and how two of them differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..backup_set import Reference

#: Tables that a server writes by itself, or at every login: other numbers of rows there are no difference.
OWN_TABLES = frozenset(
    {
        "auditlog_logentry", "authentication_authtoken", "axes_accessattempt", "axes_accessfailurelog",
        "axes_accesslog", "django_admin_log", "django_session", "node_login_attempt", "node_worker",
    }
)  # fmt: skip
#: How many differences are named.
NAMED = 20
#: A table that the node has, and official applications lack.
NODES_OWN = "node_worker"


@dataclass(frozen=True)
class Contents:
    """The rows of each table, the objects that rows refer to, and the migrations of a server or a set.

    `missing` names what rows refer to and nobody has: it is compared with nothing.
    """

    name: str
    tables: Mapping[str, int]
    objects: Sequence[Reference]
    migrations: Sequence[str] = ()
    postgres: str = ""
    missing: frozenset[str] = frozenset()

    @property
    def postgres_major(self) -> int:
        """The major version of its PostgreSQL; 0 where that is not known."""
        major = self.postgres.split(".")[0]
        return int(major) if major.isdigit() else 0

    @property
    def rows(self) -> int:
        """The number of all rows."""
        return sum(self.tables.values())

    @property
    def bytes(self) -> int:
        """The bytes of the objects whose size rows know."""
        return sum(one.size or 0 for one in self.objects)

    @property
    def application(self) -> str:
        """The application that has such tables."""
        return "the built-in node" if NODES_OWN in self.tables else "the official application"


@dataclass(frozen=True)
class TableRows:
    """The rows of a table on both sides. `own`: servers write it by themselves, so it is not compared."""

    name: str
    before: int
    after: int
    own: bool

    @property
    def is_same(self) -> bool:
        """Whether both sides have as many, as far as that matters."""
        return self.own or self.before == self.after


def tables_of(before: Contents, after: Contents) -> tuple[TableRows, ...]:
    """Return the rows of every table on both sides."""
    names = sorted({*before.tables, *after.tables})
    return tuple(
        TableRows(name, before.tables.get(name, 0), after.tables.get(name, 0), name in OWN_TABLES) for name in names
    )


def differences(before: Contents, after: Contents) -> tuple[str, ...]:
    """Return in sentences how one side differs from the other."""
    rows = (
        f"{one.name} has {one.before} rows in {before.name} and {one.after} in {after.name}."
        for one in tables_of(before, after)
        if not one.is_same
    )
    return (*rows, *_of_objects(before, after))


def _of_objects(before: Contents, after: Contents) -> Iterable[str]:
    ours, theirs = _named(before.objects), _named(after.objects)
    lost, new = sorted(ours.keys() - theirs.keys()), sorted(theirs.keys() - ours.keys() - before.missing)
    other = sorted(name for name in ours.keys() & theirs.keys() if _differs(ours[name], theirs[name]))
    yield from (f"{after.name} does not refer to {name}." for name in lost[:NAMED])
    yield from (f"{before.name} does not refer to {name}." for name in new[:NAMED])
    yield from (f"{name} is not the same on both." for name in other[:NAMED])
    more = sum(max(0, len(names) - NAMED) for names in (lost, new, other))
    if more:
        yield f"{more} more objects differ."


def _named(objects: Iterable[Reference]) -> Mapping[str, Reference]:
    return {one.name: one for one in objects}


def _differs(one: Reference, other: Reference) -> bool:
    """Return whether two objects differ, by what rows know of both."""
    if one.sha256 and other.sha256:
        return one.sha256 != other.sha256
    return None not in (one.size, other.size) and one.size != other.size


def why_not(before: Contents, after: Contents) -> tuple[str, str] | None:
    """Return why one server cannot take the data of another, and what to do; None if it can.

    One that was never started has no tables yet, and no migrations that could differ.
    """
    if 0 < after.postgres_major < before.postgres_major:
        return (
            f"{before.name} has PostgreSQL {before.postgres_major} and {after.name} the older {after.postgres_major}, "
            "which cannot read its dumps.",
            f"Give {after.name} PostgreSQL {before.postgres_major} or newer first.",
        )
    if not after.tables or set(before.migrations) == set(after.migrations):
        return None
    if before.application != after.application:
        return (
            f"{before.name} runs {before.application} and {after.name} {after.application}: their tables differ.",
            "Move projects one by one: qfc projects export, then qfc projects import. Accounts: qfc users create",
        )
    other = sorted(set(before.migrations) ^ set(after.migrations))[0]
    return (
        f"{before.name} and {after.name} run different releases: their tables differ ({other}).",
        "Bring both to the same release first: qfc deploy, or qfc upgrade. See: qfc db status",
    )


def unknown_stores(objects: Iterable[Reference], ours: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """Return the file stores that rows name, that our settings have, and that theirs lack."""
    named = {one.place.store for one in objects if one.place}
    return tuple(sorted(named & set(ours) - set(theirs)))
