"""The plan of a deployment, from the output of either Compose, and its cache on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from qfc.drivers.runtimes.compose.plan import ComposePlan, PlanStore, ServicePlan, read_config, seconds

V2 = """{
  "name": "qfieldcloud",
  "services": {
    "app": {
      "build": {"context": "/opt/QFieldCloud/docker-app", "dockerfile": "Dockerfile"},
      "environment": {"DEBUG": "0", "SECRET_KEY": "hunter2", "EMPTY": null},
      "ports": [{"mode": "ingress", "host_ip": "127.0.0.1", "target": 8000, "published": "8011", "protocol": "tcp"}],
      "restart": "unless-stopped"
    },
    "nginx": {
      "image": "qfieldcloud-nginx",
      "ports": [{"target": 80, "published": "80-90"}, {"target": 443, "published": "8443"}, {"target": 9}]
    },
    "worker_wrapper": {
      "build": {}, "deploy": {"replicas": 3}, "stop_grace_period": "15m0s", "restart": "unless-stopped"
    },
    "createbuckets": {"image": "minio/mc", "restart": "no"},
    "extra": {"image": "extra:1", "restart": "always", "scale": 2, "deploy": {"replicas": 4}}
  }
}
"""
V1 = """name: ignored
services:
  app:
    build:
      context: /opt/QFieldCloud/docker-app
    environment:
      DEBUG: 0
      SECRET_KEY: hunter2
      EMPTY: null
    ports:
    - 127.0.0.1:8011:8000/tcp
    - 8000/tcp
    restart: unless-stopped
  db:
    environment: [POSTGRES_DB=x, POSTGRES_PASSWORD=a=b]
    image: postgis/postgis:13-3.1-alpine
    ports:
    - published: 5433
      target: 5432
    - '[::1]:5434:5432/tcp'
    - 9000-9010:9000-9010/tcp
    restart: 'no'
  worker_wrapper:
    deploy:
      replicas: 3
    restart: unless-stopped
    stop_grace_period: 15m
version: '3.9'
"""


def test_what_the_new_compose_prints() -> None:
    plan = read_config(V2, version="2.24.5")
    assert plan.services["app"] == ServicePlan("app", "", 1, "unless-stopped", True, None, ((8000, 8011),))
    assert plan.services["nginx"].ports == ((443, 8443),)
    assert plan.services["worker_wrapper"].stop_grace_s == 900
    assert (plan.workers, plan.version) == (3, "2.24.5")
    assert plan.services["extra"].replicas == 2
    assert plan.environment["app"] == {"DEBUG": "0", "SECRET_KEY": "hunter2", "EMPTY": ""}
    assert plan.environment["nginx"] == {}


def test_what_the_old_compose_prints() -> None:
    plan = read_config(V1, version="1.29.2")
    assert plan.services["app"] == ServicePlan("app", "", 1, "unless-stopped", True, None, ((8000, 8011),))
    assert plan.services["db"].image == "postgis/postgis:13-3.1-alpine"
    assert plan.services["db"].ports == ((5432, 5433), (5432, 5434))
    assert (plan.workers, plan.services["worker_wrapper"].stop_grace_s) == (3, 900)
    assert plan.environment["app"] == {"DEBUG": "0", "SECRET_KEY": "hunter2", "EMPTY": ""}
    assert plan.environment["db"] == {"POSTGRES_DB": "x", "POSTGRES_PASSWORD": "a=b"}


@pytest.mark.parametrize("printed", ["{}", "services: {}\n", '{"services": null}'])
def test_a_deployment_without_services_is_empty(printed: str) -> None:
    plan = read_config(printed, version="2")
    assert (dict(plan.services), plan.workers) == ({}, 0)


@pytest.mark.parametrize(
    ("name", "restart", "is_task"),
    [
        ("createbuckets", "unless-stopped", True),
        ("qgis", "", True),
        ("mkcert", "no", True),
        ("db", "no", False),
        ("app", "", False),
        ("unknown", "no", True),
        ("unknown", "", True),
        ("unknown", "always", False),
        ("unknown", "on-failure", False),
    ],
)
def test_a_task_does_its_work_once_and_ends(name: str, restart: str, is_task: bool) -> None:
    assert ServicePlan(name, "", 1, restart, False).is_task is is_task


def test_no_workers_are_a_number_too() -> None:
    assert read_config('{"services": {"worker_wrapper": {"scale": 0}}}', version="2").workers == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("15m0s", 900),
        ("15m", 900),
        ("1h2m3s", 3723),
        ("1h", 3600),
        ("10s", 10),
        ("1.5s", 1.5),
        ("1m30s", 90),
        ("500ms", None),
        ("", None),
        (None, None),
        ("soon", None),
        (10, None),
    ],
)
def test_durations_as_compose_writes_them(text: object, wanted: float | None) -> None:
    assert seconds(text) == wanted


FILES = {".env": "1-2", "docker-compose.yml": "3-4"}


def test_a_plan_is_recalled_for_the_same_files(tmp_path: Path) -> None:
    plan = read_config(V2, version="2.24.5")
    PlanStore(tmp_path / "new" / "plan.json").remember(plan, FILES)
    recalled = PlanStore(tmp_path / "new" / "plan.json").recall(FILES)
    assert recalled == ComposePlan(plan.services, version="2.24.5")


@pytest.mark.parametrize("files", [{}, {".env": "1-2"}, {**FILES, ".env": "9-2"}, {**FILES, "override.yml": "5-6"}])
def test_a_plan_is_not_recalled_for_other_files(tmp_path: Path, files: dict[str, str]) -> None:
    store = PlanStore(tmp_path / "plan.json")
    store.remember(read_config(V2, version="2"), FILES)
    assert store.recall(files) is None


def test_without_files_nothing_tells_whether_a_plan_is_right(tmp_path: Path) -> None:
    store = PlanStore(tmp_path / "plan.json")
    store.remember(read_config(V2, version="2"), {})
    assert store.recall({}) is None


def test_no_environment_is_kept_or_told(tmp_path: Path) -> None:
    path, plan = tmp_path / "plan.json", read_config(V2, version="2")
    PlanStore(path).remember(plan, FILES)
    assert "hunter2" not in path.read_text() + repr(plan)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"files": {".env": "1"}}',
        '{"files": {".env": "1"}, "version": "2", "services": [{"name": "a"}]}',
    ],
)
def test_garbage_is_no_plan(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    assert PlanStore(tmp_path / "plan.json").recall({".env": "1"}) is None


def test_what_cannot_be_kept_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = PlanStore(tmp_path / "file" / "plan.json")
    store.remember(read_config(V2, version="2"), FILES)
    assert store.recall(FILES) is None
