"""Moves files, and compares every listing and every download with the bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..stack.checksums import Checksums
from .results import ScenarioError
from .session import Device, RemoteFile

CONNECTIONS = 4


def upload_project(session: Device, project_id: str, folder: Path) -> int:
    """Upload a folder, the data in parallel and the project file last; return the number of bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    data = [path for path in files if path.suffix != ".qgs"]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        uploads = [threads.submit(session.copy().upload, project_id, path, _name(folder, path)) for path in data]
    for upload in uploads:
        upload.result()
    for path in set(files) - set(data):
        session.upload(project_id, path, _name(folder, path))
    check_listing(session.files(project_id), {_name(folder, path): path for path in files})
    return sum(path.stat().st_size for path in files)


def download_project(session: Device, project_id: str, folder: Path) -> Path:
    """Download the project's files; return the folder."""
    session.download_project(project_id, folder)
    check_files(folder, session.files(project_id))
    return folder


def download_package(session: Device, project_id: str, folder: Path) -> Path:
    """Download the newest package; return the folder."""
    session.download_package(project_id, folder)
    check_files(folder, session.package_files(project_id))
    return folder


def check_listing(listed: Sequence[RemoteFile], local: dict[str, Path]) -> None:
    """Compare a listing with local files. Raises ScenarioError."""
    names = {file.name for file in listed}
    if names != set(local):
        raise ScenarioError(f"the listing of the server and the uploaded files differ in {sorted(names ^ set(local))}")
    _raise_on_differences((file, local[file.name]) for file in listed)


def check_files(folder: Path, listed: Sequence[RemoteFile]) -> None:
    """Compare downloaded files with the listing. Raises ScenarioError."""
    missing = [file.name for file in listed if not (folder / file.name).is_file()]
    if missing:
        raise ScenarioError(f"listed but not downloaded: {', '.join(missing)}")
    _raise_on_differences((file, folder / file.name) for file in listed)


def _raise_on_differences(pairs: Iterable[tuple[RemoteFile, Path]]) -> None:
    for file, path in pairs:
        content = path.read_bytes()
        if len(content) != file.size or not Checksums(content).match({"md5sum": file.md5}):
            raise ScenarioError(f"{file.name}: the listing says {file.size} bytes, md5 {file.md5}; the bytes differ")


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
