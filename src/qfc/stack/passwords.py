"""The lines of `.env` that hold the passwords of the database and of the deployment's own store. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

DATABASE = "POSTGRES_PASSWORD"
#: Names of the password of a store that is part of the deployment: the store reads it when it starts.
OWN_STORE = ("MINIO_ROOT_PASSWORD", "OBJECT_STORAGE_ROOT_PASSWORD")
#: All names under which the application reads that password.
STORE = (*OWN_STORE, "STORAGE_SECRET_ACCESS_KEY")
STORES = "STORAGES"


def with_store_password(values: Mapping[str, str], old: str, new: str) -> Mapping[str, str]:
    """Return every line that contains the store's password, with the new one."""
    changed = {name: new for name in STORE if values.get(name) == old}
    written = re.compile(rf'("secret_key"\s*:\s*"){re.escape(old)}(?=")')
    text = values.get(STORES, "")
    return {**changed, STORES: written.sub(rf"\g<1>{new}", text)} if written.search(text) else changed


def changed_since(earlier: Mapping[str, str], present: Mapping[str, str]) -> Mapping[str, str]:
    """Return the lines of an earlier `.env` that need the present passwords.

    Whoever goes back to an earlier file gets other data back, but not the password of the database's account, which
    no dump contains.
    """
    both = earlier.keys() & present.keys()
    differing = {name for name in both if present[name] and earlier[name] != present[name]}
    lines = {DATABASE: present[DATABASE]} if DATABASE in differing else {}
    own = next((name for name in OWN_STORE if name in differing), None)
    return {**lines, **with_store_password(earlier, earlier[own], present[own])} if own else lines
