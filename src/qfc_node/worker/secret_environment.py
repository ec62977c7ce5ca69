"""Pass a project's secrets to a job's process: as variables of libpq and a service file, and nothing else.

GDAL and Python read environment variables too, and some of these name code to load. So the process gets no secret that
is not a variable of libpq.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..core.models import Secret
from ..core.sealing import SealError, unseal
from ..gis.port import GisError, Log

LIBPQ_PREFIX = "PG"


@dataclass(frozen=True)
class SealedSecret:
    """A secret as stored in the database."""

    name: str
    type: str
    value: bytes = field(repr=False)


def set_up(secrets: Iterable[SealedSecret], service_file: Path, log: Log) -> None:
    """Put the secrets where libpq finds them, and nowhere else. Raises GisError."""
    services: list[str] = []
    for secret in secrets:
        value = _open(secret)
        if secret.type == Secret.Type.PGSERVICE:
            services.append(value)
        elif secret.name.startswith(LIBPQ_PREFIX):
            os.environ[secret.name] = value
        else:
            log(f"The job does not get the secret {secret.name!r}: jobs only get variables of libpq (PG…).")
    if services:
        _write_service_file(service_file, services)


def _open(secret: SealedSecret) -> str:
    try:
        return unseal(secret.value)
    except SealError as error:
        raise GisError(f"The secret {secret.name!r} cannot be decrypted. {error}") from error


def _write_service_file(path: Path, services: list[str]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(services) + "\n")
    os.environ["PGSERVICEFILE"] = str(path)
