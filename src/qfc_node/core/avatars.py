"""Pictures of users and organizations: small files, stored in the row. Whoever knows the address may see one."""

from __future__ import annotations

import hashlib

from django.core import signing
from django.db import transaction

from .models import Avatar, User, UserAccount

#: Pixels of the longer side of a stored picture.
SIDE = 256
_SALT = "qfc_node.avatar"


def public_id(user_id: int) -> str:
    """Return what names an account's picture in addresses: nobody can guess it."""
    return signing.Signer(salt=_SALT).sign(str(user_id))


def replace(user: User, picture: bytes) -> None:
    """Set the picture of an account, a PNG."""
    with transaction.atomic():
        Avatar.objects.update_or_create(user=user, defaults={"picture": picture})
        UserAccount.objects.filter(user=user).update(avatar_uri=hashlib.sha256(picture).hexdigest())


def remove(user: User) -> None:
    """Remove the picture of an account; without one there is nothing to do."""
    with transaction.atomic():
        Avatar.objects.filter(user=user).delete()
        UserAccount.objects.filter(user=user).update(avatar_uri="")


def find(name: str) -> bytes | None:
    """Return the picture with a name of `public_id`; None without one."""
    try:
        user_id = int(signing.Signer(salt=_SALT).unsign(name))
    except (signing.BadSignature, ValueError):
        return None
    picture = Avatar.objects.filter(user_id=user_id, user__is_active=True).values_list("picture", flat=True).first()
    return None if picture is None else bytes(picture)
