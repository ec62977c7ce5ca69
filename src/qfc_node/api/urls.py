"""Addresses of the API, below `/api/v1/`. Each ends with a slash; the middleware adds it where a client left it out."""

from __future__ import annotations

from django.urls import path

from .views import auth, deltas, files, jobs, packages, projects, status

urlpatterns = [
    path("auth/login/", auth.LoginView.as_view()),
    path("auth/token/", auth.TokenView.as_view()),
    path("auth/logout/", auth.LogoutView.as_view()),
    path("auth/user/", auth.CallerView.as_view()),
    path("auth/providers/", auth.ProvidersView.as_view()),
    path("projects/", projects.ProjectsView.as_view()),
    path("projects/public/", projects.PublicProjectsView.as_view()),
    path("projects/<uuid:project_id>/", projects.ProjectView.as_view()),
    path("files/<uuid:project_id>/", files.FilesView.as_view()),
    path("files/<uuid:project_id>/<path:filename>/", files.FileView.as_view()),
    path("packages/<uuid:project_id>/latest/", packages.LatestPackageView.as_view()),
    path("packages/<uuid:project_id>/latest/files/<path:filename>/", packages.LatestPackageFileView.as_view()),
    path("packages/<uuid:project_id>/<uuid:job_id>/files/<path:filename>/", packages.PackageFileView.as_view()),
    path("qfield-files/<uuid:project_id>/", packages.LegacyPackageView.as_view()),
    path("jobs/", jobs.JobsView.as_view()),
    path("jobs/<uuid:job_id>/", jobs.JobView.as_view()),
    path("deltas/apply/<uuid:project_id>/", deltas.ApplyDeltasView.as_view()),
    path("deltas/<uuid:project_id>/", deltas.DeltasView.as_view()),
    path("deltas/<uuid:project_id>/<uuid:deltafile_id>/", deltas.DeltafileView.as_view()),
    path("status/", status.StatusView.as_view()),
]
