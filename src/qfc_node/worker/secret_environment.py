"""A project's secrets for a job's process: variables of libpq, the role for edits and service files, and nothing else.

GDAL and Python read environment variables too, and some of these name code to load: the process gets no other secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..box.work import Secrets
from ..core.models import Secret
from ..core.sealing import SealError, unseal
from ..gis.database_rules import EFFECTIVE_USER
from ..gis.port import GisError, Log

LIBPQ_PREFIX = "PG"


@dataclass(frozen=True)
class SealedSecret:
    """A secret as stored in the database."""

    name: str
    type: str
    value: bytes = field(repr=False)


def opened(sealed: Iterable[SealedSecret], log: Log) -> Secrets:
    """Return the secrets that a job may have, and log those that it does not get. Raises GisError."""
    variables: dict[str, str] = {}
    services: list[str] = []
    for secret in sealed:
        if secret.type == Secret.Type.PGSERVICE:
            services.append(_open(secret))
        elif secret.name.startswith(LIBPQ_PREFIX) or secret.name == EFFECTIVE_USER:
            variables[secret.name] = _open(secret)
        else:
            log(
                f"The job does not get the secret {secret.name!r}: jobs only get variables of libpq (PG…)"
                f" and {EFFECTIVE_USER}."
            )
    return Secrets(variables, tuple(services))


def _open(secret: SealedSecret) -> str:
    try:
        return unseal(secret.value)
    except SealError as error:
        raise GisError(f"The secret {secret.name!r} cannot be decrypted. {error}") from error
