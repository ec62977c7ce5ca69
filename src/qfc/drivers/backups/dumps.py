"""Reads a dump to its end: counts the rows of every table, and collects the objects that rows refer to."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, BinaryIO, cast

from ...errors import CommandError
from ...stack.backup_set import DumpContent
from ..commands import echo, said_without_secrets

#: Columns that name objects, by table: the first that a release has.
REFERRING: Mapping[bytes, tuple[bytes, ...]] = {
    b"public.filestorage_fileversion": (b"content",),
    b"public.core_project": (b"thumbnail_uri",),
    b"public.project_project": (b"thumbnail", b"thumbnail_uri"),
    b"public.core_useraccount": (b"avatar", b"avatar_uri"),
    b"public.core_faultydeltafile": (b"deltafile",),
    b"public.project_projectseed": (b"xlsform_file",),
}
_ESCAPE = re.compile(rb"\\(.)")
_ESCAPES: Mapping[bytes, bytes] = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
#: A name in a statement of PostgreSQL: quoted where it is not a plain word.
_IDENTIFIER = re.compile(rb'"(?:[^"]|"")*"|[^\s".,();]+')
_COPY, _END, _NULL = b"COPY ", b"\\.\n", b"\\N"


def read_dump(pg_restore: Sequence[str], write: Callable[[BinaryIO], None]) -> DumpContent:
    """Read a dump with `pg_restore`; `write` writes it. Raises CommandError when it is incomplete."""
    argv = [*pg_restore, "--data-only", "--file=-"]
    echo(argv)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        feeding = Feeding(cast("IO[bytes]", process.stdin), write)
        content = _content(cast("IO[bytes]", process.stdout))
        feeding.finish(process, said, "pg_restore")
    return content


class Feeding:
    """Writes into a process from another thread."""

    def __init__(self, stdin: IO[bytes], write: Callable[[BinaryIO], None]) -> None:
        self._stdin, self._write = stdin, write
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            with self._stdin:
                self._write(cast(BinaryIO, self._stdin))
        except Exception as error:  # noqa: BLE001 - `finish` raises it
            self._failure = error

    def finish(self, process: subprocess.Popen[bytes], said: IO[Any], name: str) -> None:
        """Wait for the end. Raises what the writing raised, or CommandError with the last words of the program."""
        self._thread.join()
        code = process.wait()
        if self._failure is not None and not isinstance(self._failure, BrokenPipeError):
            raise self._failure
        if code or self._failure is not None:
            raise CommandError(f"{name} ended with exit code {code}: {last_words(said)}")


def last_words(said: IO[Any]) -> str:
    """Return the last line that a program wrote."""
    said.seek(0)
    lines = bytes(said.read()).decode(errors="replace").strip().splitlines()
    return said_without_secrets(lines[-1]) if lines else "it printed nothing"


def _content(lines: IO[bytes]) -> DumpContent:
    tables: dict[str, int] = {}
    references: set[str] = set()
    for line in lines:
        if line.startswith(_COPY):
            table, column = _target(line)
            rows = 0
            for row in _rows(lines):
                rows += 1
                if column is not None:
                    value = row.rstrip(b"\n").split(b"\t")[column]
                    if value not in (_NULL, b""):
                        references.add(_unescaped(value))
            tables[table] = rows
    return DumpContent(tables, frozenset(references))


def _unescaped(value: bytes) -> str:
    """Return a value of COPY as it was: names of files may have backslashes."""
    return value.decode() if b"\\" not in value else _ESCAPE.sub(_character, value).decode()


def _character(found: re.Match[bytes]) -> bytes:
    return _ESCAPES.get(found[1], found[1])


def _target(line: bytes) -> tuple[str, int | None]:
    """Return the table of a COPY, and the place of its column that names objects."""
    schema, table, *columns = (_unquoted(one) for one in _IDENTIFIER.findall(line.removeprefix(_COPY)))
    wanted = REFERRING.get(schema + b"." + table, ())
    place = next((columns.index(one) for one in wanted if one in columns), None)
    return (table if schema == b"public" else schema + b"." + table).decode(), place


def _unquoted(identifier: bytes) -> bytes:
    return identifier[1:-1].replace(b'""', b'"') if identifier.startswith(b'"') else identifier


def _rows(lines: IO[bytes]) -> Iterator[bytes]:
    for row in lines:
        if row == _END:
            return
        yield row
