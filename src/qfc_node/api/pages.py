"""Pages in a browser to which apps link: a project, and a new password by e-mail."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode

from ..core.models import Project, User, UserType

#: Seconds between two e-mails to the same address.
MAIL_PAUSE_S = 60


def open_project(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Show a project in the admin; others than its staff learn nothing, not even whether it exists."""
    if not request.user.is_staff:
        return redirect(f"{reverse('admin:login')}?{urlencode({'next': request.path})}")
    found = Project.objects.filter(owner__username__iexact=owner, name__iexact=name).order_by("pk")
    project = found.filter(name=name).first() or found.first()
    if project is None:
        raise Http404
    return redirect(reverse("admin:core_project_change", args=[project.pk]))


def _digest(email: str) -> str:
    """Return a key for the cache, which accepts no spaces and no long ones."""
    return hashlib.sha256(email.lower().encode()).hexdigest()


class PersonResetForm(PasswordResetForm):
    """Sends the e-mail to people only, and not in quick succession."""

    def get_users(self, email: str) -> Iterator[User]:
        """Yield the active person with the address."""
        if cache.add(f"password-reset-{_digest(email)}", True, MAIL_PAUSE_S):
            yield from User.objects.filter(email__iexact=email, type=UserType.PERSON, is_active=True)


class PasswordResetPage(views.PasswordResetView):
    """`accounts/password/reset/`: asks for the address."""

    form_class = PersonResetForm
    success_url = reverse_lazy("password_reset_done")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show the form, or say that this server sends no e-mail."""
        if not settings.EMAIL_HOST:
            return render(request, "qfc_node/no_mail.html", {"site_header": "QFieldCloud"})
        return super().dispatch(request, *args, **kwargs)


class NewPasswordPage(views.PasswordResetConfirmView):
    """Sets the new password, which ends a lockout that wrong passwords caused."""

    success_url = reverse_lazy("password_reset_complete")
