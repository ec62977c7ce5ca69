"""One name for a login, whatever its spelling: by user name or e-mail address, in any case and form of Unicode."""

from __future__ import annotations

import unicodedata

from django.db.models import Q

from .models import User, UserType

#: Longer texts are no names; the counters of failed logins have room for so many characters.
MAX_LENGTH = 254


def normalized(text: str) -> str:
    """Return the text in the form in which names are compared, but for their case."""
    return unicodedata.normalize("NFKC", text).replace("\0", "").strip()[:MAX_LENGTH]


def find_account(text: str) -> User | None:
    """Return the person whom the text names, active or not; None without one. A user name comes first."""
    wanted = normalized(text)
    if not wanted:
        return None
    people = User.objects.filter(Q(username__iexact=wanted) | Q(email__iexact=wanted), type=UserType.PERSON)
    found = list(people[:3])
    named = [person for person in found if person.username.lower() == wanted.lower()]
    return next(iter(named or found), None)


def counted_name(text: str) -> str:
    """Return the name by which failed logins are counted: that of the account, or what stands for no account."""
    person = find_account(text)
    return person.username if person else normalized(text).casefold()[:MAX_LENGTH]
