"""Projects, their files and their secrets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .. import jobs, projects
from ..models import File, FileVersion, Project, ProjectCollaborator, Secret, User
from ..sealing import seal
from .base import NodeAdmin, ReadOnlyAdmin, Table


class CollaboratorsInline(Table[ProjectCollaborator]):
    """The collaborators of a project and their roles."""

    model = ProjectCollaborator
    fields = ("collaborator", "role", "is_incognito")
    raw_id_fields = ("collaborator",)
    extra = 0


class SecretForm(forms.ModelForm):
    """A secret; its value can be entered but is never shown again."""

    new_value = forms.CharField(
        widget=forms.PasswordInput, required=False, help_text="Leave empty to keep the current value."
    )

    class Meta:
        model = Secret
        fields = ("name", "type", "project")

    def clean(self) -> dict[str, Any]:
        """Refuse a new secret without a value."""
        fields: dict[str, Any] = super().clean() or {}
        if not fields.get("new_value") and not self.instance.pk:
            self.add_error("new_value", "A new secret needs a value.")
        return fields


@admin.register(Project)
class ProjectAdmin(NodeAdmin[Project]):
    """Projects. Only the API changes their files."""

    list_display = (
        "name",
        "owner",
        "is_public",
        "file_storage_bytes",
        "problem",
        "data_last_updated_at",
        "data_last_packaged_at",
        "locked_at",
    )
    list_filter = ("is_public", "project_type", "overwrite_conflicts", "has_restricted_projectfiles", "created_at")
    search_fields = ("id", "name", "owner__username")
    raw_id_fields = ("owner",)
    list_select_related = ("owner",)
    readonly_fields = (
        "id",
        "project_filename",
        "thumbnail_uri",
        "project_details",
        "problem",
        "data_last_packaged_at",
        "data_last_updated_at",
        "restricted_data_last_updated_at",
        "last_package_job",
        "file_storage_bytes",
        "has_online_vector_data",
        "created_at",
        "updated_at",
    )
    inlines = (CollaboratorsInline,)
    actions = ("package", "read_again", "unlock")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """Leave the details out of lists, because they may have megabytes."""
        return super().get_queryset(request).defer("project_details")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Allow deleting files and deltas together with their project, although not one by one."""
        listed, counts, _, protected = super().get_deleted_objects(objs, request)
        return listed, counts, set[str](), protected

    def delete_model(self, request: HttpRequest, obj: Project) -> None:
        """Delete the project with its files."""
        del request
        projects.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        """Delete the projects with their files."""
        for project in queryset:
            self.delete_model(request, project)

    @admin.action(description="Package the selected projects")
    def package(self, request: HttpRequest, chosen: QuerySet[Project]) -> None:
        """Create package jobs."""
        for project in chosen:
            jobs.request_package(project, _user(request))
        self.message_user(request, f"{chosen.count()} projects will be packaged.")

    @admin.action(description="Read the QGIS files of the selected projects again")
    def read_again(self, request: HttpRequest, chosen: QuerySet[Project]) -> None:
        """Create jobs that read the project files."""
        for project in chosen:
            jobs.request_process_projectfile(project, _user(request))
        self.message_user(request, f"The QGIS files of {chosen.count()} projects will be read again.")

    @admin.action(description="Unlock the selected projects")
    def unlock(self, request: HttpRequest, chosen: QuerySet[Project]) -> None:
        """Let workers run jobs of the projects again."""
        unlocked = chosen.exclude(locked_at=None).update(locked_at=None)
        self.message_user(request, f"Projects unlocked: {unlocked}.")


def _user(request: HttpRequest) -> User:
    return User.objects.get(pk=request.user.pk)


@admin.register(File)
class FileAdmin(ReadOnlyAdmin[File]):
    """Names of files."""

    list_display = ("name", "project", "file_type", "package_job", "created_at")
    list_filter = ("file_type", "created_at")
    search_fields = ("name", "project__id", "project__name")
    list_select_related = ("project", "package_job")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the API deletes files, together with their bytes."""
        del request, obj
        return False


@admin.register(FileVersion)
class FileVersionAdmin(ReadOnlyAdmin[FileVersion]):
    """Versions of files."""

    list_display = ("file", "size", "uploaded_at", "uploaded_by")
    list_filter = ("uploaded_at",)
    search_fields = ("id", "content", "file__name", "file__project__id")
    fields = ("id", "file", "size", "content", "uploaded_at", "uploaded_by", "created_at")
    list_select_related = ("file", "uploaded_by")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the API deletes versions, together with their bytes."""
        del request, obj
        return False


@admin.register(Secret)
class SecretAdmin(NodeAdmin[Secret]):
    """Secrets: names, never values."""

    form = SecretForm
    list_display = ("name", "type", "project", "created_by", "created_at")
    list_filter = ("type",)
    search_fields = ("name", "project__name", "project__id")
    raw_id_fields = ("project",)
    list_select_related = ("project", "created_by")

    def save_model(self, request: HttpRequest, obj: Secret, form: forms.ModelForm, change: bool) -> None:
        """Encrypt the value that was entered."""
        value: str = form.cleaned_data.get("new_value") or ""
        if value:
            obj.value = seal(value)
        if not change:
            obj.created_by = _user(request)
        super().save_model(request, obj, form, change)
