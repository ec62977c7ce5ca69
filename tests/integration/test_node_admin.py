"""The node's Django admin: every page opens, rows of the queue cannot be edited, actions work as described."""

from __future__ import annotations

from typing import Any

import pytest

from qfc.drivers.postgres_server import Endpoint

PASSWORD = "correct-horse-battery"


class Office:
    """A logged-in superuser and one row of everything."""

    def __init__(self) -> None:
        from api_world import Speaker, delta, deltafile, organization, package, person
        from qfc_node.core.models import PackageType, Project, Secret, Team, Worker
        from qfc_node.core.sealing import seal
        from stored_files import put_file

        self.root = person("root", is_superuser=True, is_staff=True)
        self.client = Speaker().client
        page = {"username": "root", "password": PASSWORD, "next": "/admin/"}
        assert self.client.post("/admin/login/", page).status_code == 302
        acme = organization("acme", self.root)
        Team.objects.create(username="@acme/crew", team_organization=acme)
        self.project = Project.objects.create(name="survey", owner=self.root, project_filename="survey.qgs")
        put_file(self.project, "survey.qgs", b"<qgis/>")
        package(self.project, self.root, **{"data.gpkg": b"x"})
        Secret.objects.create(
            name="KEY", type="envvar", project=self.project, created_by=self.root, value=seal("swordfish")
        )
        PackageType.objects.create(code="storage", display_name="storage")
        Worker.objects.create(lock_key=1, host="here", pid=1, release="0")
        speaker = Speaker(self.root)
        assert speaker.push(self.project, deltafile(self.project, delta(), delta())).status_code == 200

    def act(self, model: str, action: str, *keys: Any) -> Any:
        """Run an action on rows; return the page that follows."""
        fields = {"action": action, "_selected_action": [str(key) for key in keys]}
        return self.client.post(f"/admin/core/{model}/", fields, follow=True)


@pytest.fixture
def office(node_database: Endpoint) -> Office:
    del node_database
    return Office()


def test_every_row_has_a_name_of_its_own(node_database: Endpoint) -> None:
    from django.apps import apps
    from django.db.models import Model

    nameless = {"ProjectRoleRow", "ResentDelta"}  # They have no page.
    models = [model for model in apps.get_app_config("core").get_models() if model.__name__ not in nameless]
    assert [model.__name__ for model in models if model.__str__ is Model.__str__] == []


def test_every_page_opens_with_search_and_every_row_of_it(office: Office) -> None:
    from django.contrib import admin

    models = [model for model in admin.site._registry if model._meta.app_label == "core"]
    assert len(models) >= 15
    for model in models:
        address = f"/admin/core/{model._meta.model_name}/"
        page = office.client.get(address)
        assert page.status_code == 200, address
        assert b" object (" not in page.content, address
        assert office.client.get(f"{address}?q=survey").status_code == 200, address
        row = model.objects.first()
        assert row is not None, model
        assert office.client.get(f"{address}{row.pk}/change/").status_code == 200, address
        add = office.client.get(f"{address}add/")
        assert add.status_code == (200 if admin.site._registry[model].has_add_permission(_request(office)) else 403)


def _request(office: Office) -> Any:
    from django.test import RequestFactory

    request = RequestFactory().get("/admin/")
    request.user = office.root
    return request


def test_every_filter_of_every_list_works(office: Office) -> None:
    from django.contrib import admin

    for model, page in admin.site._registry.items():
        if model._meta.app_label != "core":
            continue
        for name in page.list_filter:
            field = model._meta.get_field(name)
            is_date = "Date" in type(field).__name__
            suffix = "__gte=2020-01-01+00:00:00%2B00:00" if is_date else f"__exact={_some(field)}"
            assert office.client.get(f"/admin/core/{model._meta.model_name}/?{name}{suffix}").status_code == 200


def _some(field: Any) -> Any:
    return field.choices[0][0] if field.choices else 1


def test_a_secret_is_sealed_and_never_shown(office: Office) -> None:
    from qfc_node.core.models import Secret
    from qfc_node.core.sealing import unseal

    secret = Secret.objects.get()
    page = office.client.get(f"/admin/core/secret/{secret.pk}/change/")
    assert b"swordfish" not in page.content
    fields = {"name": "OTHER", "type": "envvar", "project": str(office.project.pk), "new_value": "tuna"}
    assert office.client.post("/admin/core/secret/add/", fields).status_code == 302
    assert unseal(Secret.objects.get(name="OTHER").value) == "tuna"
    assert office.client.post("/admin/core/secret/add/", {**fields, "name": "X", "new_value": ""}).status_code == 200
    keep = {**fields, "name": "KEY2", "new_value": ""}
    assert office.client.post(f"/admin/core/secret/{secret.pk}/change/", keep).status_code == 302
    assert unseal(Secret.objects.get(name="KEY2").value) == "swordfish"


def test_keys_of_tokens_are_never_shown(office: Office) -> None:
    from qfc_node.core.models import AuthToken

    token = AuthToken.objects.first()
    assert token is not None
    for page in ("", f"{token.pk}/change/"):
        assert token.key.encode() not in office.client.get(f"/admin/core/authtoken/{page}").content
    office.act("authtoken", "end", token.pk)
    token.refresh_from_db()
    assert office.client.get("/api/v1/auth/user/", HTTP_AUTHORIZATION=f"Token {token.key}").status_code == 401


def test_a_failed_job_is_retried_and_a_running_one_left_alone(office: Office) -> None:
    from qfc_node.core.models import Job

    package = Job.objects.get(type="package")
    office.act("job", "retry", package.pk)
    package.refresh_from_db()
    assert package.status == "finished"
    Job.objects.filter(pk=package.pk).update(status="failed")
    office.act("job", "retry", package.pk)
    package.refresh_from_db()
    assert (package.status, package.finished_at) == ("pending", None)


def test_a_failed_delta_job_gives_its_deltas_to_a_new_one_once(office: Office) -> None:
    from qfc_node.core.models import ApplyJob, ApplyJobDelta, Delta, Job

    job = ApplyJob.objects.get()
    first, second = Delta.objects.order_by("created_at")
    Job.objects.filter(pk=job.pk).update(status="failed")
    ApplyJobDelta.objects.update(status="error")
    Delta.objects.filter(pk=first.pk).update(last_status="applied")
    Delta.objects.filter(pk=second.pk).update(last_status="error")
    office.act("job", "retry", job.pk)
    office.act("job", "retry", job.pk)
    made = ApplyJob.objects.exclude(pk=job.pk).get()
    assert [row.delta_id for row in made.job_deltas.all()] == [second.pk]
    second.refresh_from_db()
    assert second.last_status == "pending"


def test_deltas_are_ignored_and_applied_again(office: Office) -> None:
    from qfc_node.core.models import ApplyJobDelta, Delta

    keys = list(Delta.objects.values_list("pk", flat=True))
    office.act("delta", "ignore", *keys)
    assert set(Delta.objects.values_list("last_status", flat=True)) == {"ignored"}
    assert not ApplyJobDelta.objects.exists()
    office.act("delta", "reapply", *keys)
    office.act("delta", "reapply", *keys)
    assert set(Delta.objects.values_list("last_status", flat=True)) == {"pending"}
    assert ApplyJobDelta.objects.count() == 2


def test_what_a_device_sent_cannot_be_edited_or_deleted(office: Office) -> None:
    from qfc_node.core.models import Delta

    delta = Delta.objects.first()
    assert delta is not None
    assert office.client.post(f"/admin/core/delta/{delta.pk}/change/", {"last_status": "applied"}).status_code == 403
    assert office.client.post(f"/admin/core/delta/{delta.pk}/delete/", {"post": "yes"}).status_code == 403


def test_actions_on_projects(office: Office) -> None:
    from django.utils import timezone

    from qfc_node.core.models import Job, Project

    Project.objects.update(locked_at=timezone.now())
    for action in ("package", "read_again", "unlock"):
        assert office.act("project", action, office.project.pk).status_code == 200
    assert Project.objects.get().locked_at is None
    waiting = Job.objects.filter(status="pending").exclude(type="delta_apply")
    assert sorted(waiting.values_list("type", flat=True)) == ["package", "process_projectfile"]
    deleted = office.client.post(f"/admin/core/project/{office.project.pk}/delete/", {"post": "yes"})
    assert (deleted.status_code, Project.objects.exists()) == (302, False)


def test_people_are_made_with_an_account_and_may_log_in(office: Office) -> None:
    from api_world import Speaker
    from qfc_node.core.models import Subscription

    fields = {"username": "newbie", "email": "n@example.com", "password1": PASSWORD, "password2": PASSWORD}
    inline = {"useraccount-TOTAL_FORMS": 0, "useraccount-INITIAL_FORMS": 0, "usable_password": "true"}
    assert office.client.post("/admin/core/person/add/", {**fields, **inline}).status_code == 302
    assert Subscription.objects.filter(account__user__username="newbie").count() == 1
    assert Speaker().form("auth/login/", username="newbie", password=PASSWORD).status_code == 200


def test_only_staff_get_in(office: Office) -> None:
    from api_world import Speaker, person

    person("alice")
    client = Speaker().client
    answer = client.post("/admin/login/", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 200
    assert client.get("/admin/core/job/").status_code == 302
    del office
