"""The images of one deployment: those of its services, those built for it, those kept for a rollback."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

import pytest

from qfc.drivers.docker.containers import Container
from qfc.drivers.docker.engine import Engine
from qfc.drivers.docker.images import DeploymentImages
from qfc.errors import CommandError, NotFoundError
from twins import MemoryHost

NOW = datetime.now(UTC)
APP = Container(
    "a1", "qfc-app-1", "app", "sha256:app", "running", 7, NOW, NOW, None, 0, False, 0, "", None, False, None, "",
    labels={"com.docker.compose.service": "app"},
)  # fmt: skip


def image(id: str, *tags: str, day: int = 1, labels: dict[str, str] | None = None) -> dict[str, object]:
    made = f"2026-05-{day:02}T10:00:00.123456789Z"
    return {"Id": f"sha256:{id}", "RepoTags": list(tags), "Created": made, "Size": 1000, "Config": {"Labels": labels}}


@dataclass
class Docker:
    """An engine with some images; it reports missing names and ids, and describes the others."""

    images: list[dict[str, object]]
    built: list[str] = field(default_factory=list[str])
    kept: list[str] = field(default_factory=list[str])

    def __call__(self, argv: Sequence[str], stdin: bytes) -> tuple[int, str, str]:
        del stdin
        if argv[1:3] == ["image", "ls"]:
            return 0, "\n".join(self.kept if "reference=" in argv[-1] else self.built), ""
        if argv[1:3] == ["image", "inspect"]:
            found = [one for one in self.images for name in argv[5:] if name == one["Id"] or self._has(one, name)]
            return int(len(found) < len(argv[5:])), "\n".join(map(json.dumps, found)) + "\n", "Error: No such image: x"
        return 1, "", f"Error response from daemon: No such image: {argv[-1]}"

    def _has(self, one: dict[str, object], name: str) -> bool:
        tags = one["RepoTags"]
        return isinstance(tags, list) and (name in tags or f"{name}:latest" in tags)


def deployment(
    docker: Callable[[Sequence[str], bytes], tuple[int, str, str]],
    names: dict[str, str] | None = None,
    containers: Sequence[Container] = (),
    for_jobs: Sequence[str] = (),
) -> DeploymentImages:
    host = MemoryHost()
    host.programs = {"docker": docker, "sh": docker}
    return DeploymentImages(
        Engine(host),  # pyright: ignore[reportArgumentType]  (images need no streams)
        "qfc",
        containers=lambda: containers,
        names=lambda: names or {},
        for_jobs=lambda: for_jobs,
        build=lambda services, fresh: [
            "docker",
            "compose",
            "build",
            *(["--no-cache"] if fresh else []),
            *(services or ()),
        ],
        pull=lambda services: ["docker", "compose", "pull", *(services or ())],
        folder=PurePosixPath("/srv"),
    )


def releases(*images: dict[str, object]) -> list[str | None]:
    docker = Docker(list(images), built=[str(one["Id"]) for one in images])
    return [one.release for one in deployment(docker).all()]


def test_images_of_services_come_first_then_the_newest() -> None:
    docker = Docker(
        [
            image("old", day=2),
            image("kept", "qfc-keep/qfc/app:20260501", day=3),
            image("app", "qfc-app:latest", day=1),
            image("new", day=4),
        ],
        built=["sha256:old", "sha256:new", "sha256:app"],
        kept=["sha256:kept"],
    )
    found = deployment(docker, {"app": "qfc-app", "db": "postgis:13"}, [APP]).all()
    assert [one.id.removeprefix("sha256:") for one in found] == ["app", "new", "kept", "old"]
    assert [(one.services, one.in_use) for one in found][:2] == [(("app",), True), ((), False)]
    assert [one.name for one in found] == ["qfc-app:latest", "new", "qfc-keep/qfc/app:20260501", "old"]
    assert found[0].size_bytes == 1000


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("qfc-app", "qfc-app:latest"),
        ("qfc-app:25.27", "qfc-app:25.27"),
        ("registry.example:5000/app", "registry.example:5000/app:latest"),
        ("registry.example:5000/app:1", "registry.example:5000/app:1"),
    ],
)
def test_a_name_without_a_tag_means_the_latest(name: str, tag: str) -> None:
    (found,) = deployment(Docker([image("app", tag)]), {"app": name, "worker_wrapper": name}).all()
    assert found.services == ("app", "worker_wrapper")


def test_an_image_whose_name_went_on_to_a_newer_one_is_no_services() -> None:
    docker = Docker([image("app"), image("new", "qfc-app:latest")])
    found = {one.id: one for one in deployment(docker, {"app": "qfc-app"}, [APP]).all()}
    assert (found["sha256:app"].services, found["sha256:app"].in_use) == ((), True)
    assert (found["sha256:new"].services, found["sha256:new"].in_use) == (("app",), False)


def test_an_image_that_workers_start_is_kept_where_no_service_has_it() -> None:
    docker = Docker([image("qgis", "registry.example/qgis3:26.6"), image("other", "registry.example/other:1")])
    (found,) = (one for one in deployment(docker, for_jobs=["registry.example/qgis3:26.6"]).all())
    assert (found.names, found.services, found.in_use) == (("registry.example/qgis3:26.6",), (), True)


def test_a_deployment_without_images_asks_for_none() -> None:
    assert deployment(Docker([])).all() == ()


@pytest.mark.parametrize(
    ("tags", "labels", "release"),
    [
        (["app:25.27"], {"org.opencontainers.image.version": "v25.27.1"}, "v25.27.1"),
        (["app:25.27"], {"org.label-schema.version": "3"}, "3"),
        (["app:25.27"], {"org.opencontainers.image.version": ""}, "25.27"),
        (["app:latest", "registry.example:5000/app:25.27"], None, "25.27"),
        (["qfc-keep/qfc/app:20260501"], {}, None),
        (["app:latest"], {}, None),
        ([], None, None),
    ],
)
def test_the_release_is_what_label_or_tag_say(
    tags: list[str], labels: dict[str, str] | None, release: str | None
) -> None:
    assert releases(image("x", *tags, labels=labels)) == [release]


def test_names_are_removed_and_what_a_container_needs_is_not() -> None:
    answers = {"gone": (0, "", ""), "none": (1, "", "Error: No such image: none"), "used": (1, "", "Error: conflict")}
    assert deployment(lambda argv, _: answers[argv[-1]]).remove(["gone", "none", "used"]) == ("gone", "none")


def test_an_image_is_kept_under_a_name_of_its_own() -> None:
    asked: list[Sequence[str]] = []

    def docker(argv: Sequence[str], stdin: bytes) -> tuple[int, str, str]:
        asked.append(argv)
        return 0, "", ""

    deployment(docker).keep("sha256:1", "app", "20260501-120000-ab")
    assert asked == [["docker", "tag", "sha256:1", "qfc-keep/qfc/app:20260501-120000-ab"]]


def test_an_image_that_is_gone_cannot_be_named() -> None:
    with pytest.raises(NotFoundError, match="no longer exists"):
        deployment(Docker([])).tag("sha256:1", "app:1")


def test_what_compose_says_of_building_and_pulling_is_returned() -> None:
    def compose(argv: Sequence[str], stdin: bytes) -> tuple[int, str, str]:
        del stdin
        return 0, " ".join(argv[argv.index("docker") :]), "and more\n"

    images = deployment(compose)
    assert images.build(["app"], fresh=True) == "docker compose build --no-cache app\nand more"
    assert images.pull(None) == "docker compose pull\nand more"
    assert (images.build([]), images.pull([])) == ("", "")


def test_a_file_of_images_is_read_when_its_checksum_fits() -> None:
    path = PurePosixPath("/backups/images.tar.gz")
    said = "Loaded image: qfc-app:latest\nLoaded image ID: sha256:9\n"
    assert deployment(lambda *_: (0, said, "")).load(path) == ("qfc-app:latest", "sha256:9")
    with pytest.raises(CommandError, match="checksum differs"):
        deployment(lambda *_: (65, "", "FAILED")).load(path)
    with pytest.raises(CommandError, match="docker load ended with exit code 1: no space"):
        deployment(lambda *_: (1, "", "no space left on device, error")).load(path)


def test_only_ended_containers_that_are_old_go() -> None:
    def row(id: str, hours: float, **labels: str) -> str:
        state = {"Status": "exited", "Pid": 0, "ExitCode": 0, "OOMKilled": False, "StartedAt": NOW.isoformat()}
        state["FinishedAt"] = (NOW - timedelta(hours=hours)).isoformat()
        return json.dumps(
            {
                "Id": id,
                "Name": f"/{id}",
                "Image": "sha256:1",
                "Created": NOW.isoformat(),
                "RestartCount": 0,
                "SizeRw": 5,
                "State": state,
                "Config": {"Image": "x", "Labels": labels},
                "HostConfig": {"RestartPolicy": {"Name": ""}, "NetworkMode": labels.get("network", "qfc_default")},
                "NetworkSettings": {},
            }
        )

    rows = [
        row("job", 25, job_id="j"),
        row("young", 23, job_id="j"),
        row("other", 25, job_id="j", network="other_default"),
        row("run", 25, **{"com.docker.compose.oneoff": "True"}),
        row("service", 25, **{"com.docker.compose.oneoff": "False"}),
    ]
    removed: list[Sequence[str]] = []

    def docker(argv: Sequence[str], stdin: bytes) -> tuple[int, str, str]:
        if argv[1] == "rm":
            removed.append(argv[2:])
        return 0, "\n".join(rows) if argv[1] == "inspect" else "a b", ""

    images = deployment(docker, containers=[replace(APP, addresses={"qfc_default": "172.19.0.6"})])
    assert images.remove_leftovers(dry_run=True) == (("job", 5), ("run", 5))
    assert removed == []
    images.remove_leftovers(dry_run=False)
    assert removed == [["job", "run"]]


def test_names_that_others_gave_are_left_to_them() -> None:
    """Another project with the same name prefix, and another user of a base image, keep their images."""
    docker = Docker(
        [
            image("base", "postgis:13", "qfc-keep/qfc/db:20260501"),
            image("theirs", "someone/app:1"),
            image("staging", "qfc-keep/qfc-staging/app:20260501"),
        ],
        built=["sha256:theirs", "sha256:staging"],
        kept=["sha256:base"],
    )
    found = {one.id: one for one in deployment(docker).all()}
    assert found["sha256:base"].names == ("qfc-keep/qfc/db:20260501",)
    assert (found["sha256:theirs"].names, found["sha256:theirs"].in_use) == ((), True)
    assert (found["sha256:staging"].names, found["sha256:staging"].in_use) == ((), True)
