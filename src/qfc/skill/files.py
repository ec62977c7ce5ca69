"""Where the skill's files are, and their installation: the whole folder at once, or nothing of it."""

from __future__ import annotations

import filecmp
import io
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import QfcError
from ..files import half_of, replace_file

#: The skill's name, which is also that of its folder.
NAME = "qfieldcloud"
#: In every archive of one release: the same files make the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Installed:
    """Where the skill is; `replaced` are the files that were there before and differ."""

    path: Path
    replaced: tuple[str, ...] = ()
    dry_run: bool = False


def folder() -> Path:
    """Return the folder with the skill's files: in the package, or beside it in a clone. Raises QfcError."""
    here = Path(__file__).resolve()
    for found in (here.parent / NAME, here.parents[3] / "skill" / NAME):
        if (found / "SKILL.md").is_file():
            return found
    raise QfcError("The files of the skill are missing.", hint="Install qfc again.")


def contents(source: Path) -> Iterator[Path]:
    """Yield the files of the skill, relative to its folder, in a stable order."""
    yield from sorted(
        path.relative_to(source) for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )


def changed(source: Path, target: Path) -> list[Path]:
    """Return the files of an installed skill that an installation would replace or remove."""
    there = set(contents(target)) if target.is_dir() else set[Path]()
    same = {one for one in contents(source) if one in there and filecmp.cmp(source / one, target / one, shallow=False)}
    return sorted(there - same)


def install(source: Path, target: Path) -> None:
    """Put the skill's files into `target`, in place of the folder that is there. Raises QfcError."""
    half, old = half_of(target), half_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for one in contents(source):
            (half / one).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / one, half / one)
            (half / one).chmod(_mode(one))
        if target.exists():
            target.rename(old)
        half.rename(target)
    except OSError as error:
        _put_back(old, target)
        raise QfcError(
            f"{target} cannot be written: {error.strerror}.", hint="Choose another place with --to."
        ) from error
    finally:
        for rest in (half, old):
            shutil.rmtree(rest, ignore_errors=True)


def _mode(one: Path) -> int:
    """Return the rights of a file. Installers of packages do not keep those of scripts."""
    return 0o755 if one.parts[0] == "scripts" else 0o644


def _put_back(old: Path, target: Path) -> None:
    if old.exists() and not target.exists():
        old.rename(target)


def pack(source: Path, archive: Path) -> None:
    """Write the skill as a zip file with its folder in it. Raises QfcError."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for one in contents(source):
            entry = zipfile.ZipInfo(str(Path(NAME) / one), NO_TIME)
            entry.external_attr = (0o100000 | _mode(one)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, (source / one).read_bytes())
    try:
        replace_file(archive, content.getvalue())
    except OSError as error:
        raise QfcError(f"{archive} cannot be written: {error.strerror}.", hint="Choose another place.") from error
