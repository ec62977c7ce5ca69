"""What a project's secrets become in the process of a job: libpq's variables and a service file, and nothing else.

Environment variables reach GDAL and Python too, where some of them name code to load; a secret that is none of libpq's
is therefore kept from this process.
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
    """A secret as the database has it."""

    name: str
    type: str
    value: bytes = field(repr=False)


def set_up(secrets: Iterable[SealedSecret], service_file: Path, log: Log) -> None:
    """Put the secrets where libpq finds them; the values appear nowhere else. Raises GisError."""
    services: list[str] = []
    for secret in secrets:
        value = _open(secret)
        if secret.type == Secret.Type.PGSERVICE:
            services.append(value)
        elif secret.name.startswith(LIBPQ_PREFIX):
            os.environ[secret.name] = value
        else:
            log(f"The secret {secret.name!r} is not given to the job: only libpq's variables (PG…) are.")
    if services:
        _write_service_file(service_file, services)


def _open(secret: SealedSecret) -> str:
    try:
        return unseal(secret.value)
    except SealError as error:
        raise GisError(f"The secret {secret.name!r} cannot be read. {error}") from error


def _write_service_file(path: Path, services: list[str]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(services) + "\n")
    os.environ["PGSERVICEFILE"] = str(path)
