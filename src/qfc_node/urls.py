"""The URLs of the node."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import PasswordResetCompleteView, PasswordResetDoneView
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from .api import pages
from .api.error_answers import bad_request, not_found, server_error

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("a/<str:owner>/<str:name>/", pages.open_project),
    path("accounts/password/reset/", pages.PasswordResetPage.as_view(), name="admin_password_reset"),
    path("accounts/password/reset/done/", PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("accounts/password/reset/<uidb64>/<token>/", pages.NewPasswordPage.as_view(), name="password_reset_confirm"),
    path("accounts/password/reset/complete/", PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    path("api/v1/", include("qfc_node.api.urls")),
    path("swagger.yaml", SpectacularAPIView.as_view(), name="openapi"),
    re_path("^swagger/?$", SpectacularSwaggerView.as_view(url_name="openapi")),
    re_path("^docs/?$", SpectacularRedocView.as_view(url_name="openapi", template_name="qfc_node/redoc.html")),
]

handler400 = bad_request
handler404 = not_found
handler500 = server_error
