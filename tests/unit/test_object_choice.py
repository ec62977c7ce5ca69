"""The store that a deployment's settings name, in the form of any release."""

from __future__ import annotations

import json

import pytest

from qfc.drivers.objects.choice import NamedStore, open_store, stores_of
from qfc.drivers.objects.s3 import Bucket
from qfc.drivers.objects.webdav import WebDav, WebDavObjectStore
from qfc.errors import ConfigError

OPTIONS = {
    "access_key": "minio",
    "secret_key": "hunter2",
    "bucket_name": "projects",
    "region_name": "",
    "endpoint_url": "http://172.17.0.1:8009",
}
S3 = {"BACKEND": "qfieldcloud.filestorage.backend.QfcS3Boto3Storage", "OPTIONS": OPTIONS, "QFC_IS_LEGACY": False}
BUCKET = Bucket("projects", "minio", "hunter2", "http://172.17.0.1:8009", None)
OLD_DAV = {
    "BACKEND": "x",
    "OPTIONS": {"webdav_url": "http://me%40home:hunter%2F2@webdav:80/dav/?x=1", "public_url": ""},
}
NEW_DAV = {"BACKEND": "x", "OPTIONS": {"webdav_url": "http://webdav:80/dav/", "username": "me", "password": "hunter2"}}
LEGACY = {
    "STORAGE_BUCKET_NAME": "projects",
    "STORAGE_ACCESS_KEY_ID": "minio",
    "STORAGE_SECRET_ACCESS_KEY": "hunter2",
    "STORAGE_ENDPOINT_URL": "http://172.17.0.1:8009",
    "STORAGE_REGION_NAME": "",
}


def storages(usual: str | None = None, **stores: object) -> dict[str, str]:
    named = {"STORAGES_PROJECT_DEFAULT_STORAGE": usual} if usual else {}
    return {"STORAGES": json.dumps(stores), **named}


def problems(environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        stores_of(environment)
    assert "qfc services recreate" in caught.value.hint
    return caught.value.problems


@pytest.mark.parametrize(
    ("store", "place"),
    [
        (S3, BUCKET),
        (
            {"OPTIONS": {**OPTIONS, "endpoint_url": None, "region_name": "eu"}},
            Bucket("projects", "minio", "hunter2", None, "eu"),
        ),
        (OLD_DAV, WebDav("http://webdav:80/dav/", "me@home", "hunter/2")),
        (NEW_DAV, WebDav("http://webdav:80/dav/", "me", "hunter2")),
        ({"OPTIONS": {"webdav_url": "https://webdav/"}}, WebDav("https://webdav/")),
    ],
)
def test_a_store_of_later_releases(store: object, place: Bucket | WebDav) -> None:
    assert stores_of(storages(default=store)) == {"default": NamedStore("default", place)}


def test_the_store_of_earlier_releases() -> None:
    assert stores_of(LEGACY) == {"default": NamedStore("default", BUCKET)}
    assert stores_of({**LEGACY, "STORAGES": " "}) == stores_of(LEGACY)


def test_later_settings_win_over_earlier_ones() -> None:
    (found,) = stores_of({**LEGACY, **storages(default=NEW_DAV)}).values()
    assert isinstance(found.place, WebDav)


def test_the_usual_store_comes_first() -> None:
    stores = {"one": S3, "two": NEW_DAV, "default": S3}
    assert list(stores_of(storages(**stores))) == ["default", "one", "two"]
    assert list(stores_of(storages("two", **stores))) == ["two", "one", "default"]


@pytest.mark.parametrize(
    ("store", "endpoint"),
    [
        (S3, "http://172.17.0.1:8009"),
        (OLD_DAV, "http://webdav:80/dav/"),
        ({"OPTIONS": {**OPTIONS, "endpoint_url": ""}}, ""),
    ],
)
def test_containers_reach_a_store_at_its_endpoint(store: object, endpoint: str) -> None:
    assert stores_of(storages(default=store))["default"].endpoint == endpoint


def test_everything_that_is_missing_is_told_at_once() -> None:
    stores = {
        "one": {"OPTIONS": {"bucket_name": "a", "secret_key": "hunter2"}},
        "two": {"BACKEND": "x"},
        "three": "words",
        "four": {"OPTIONS": None},
        "five": {"OPTIONS": {"access_key": ""}},
        "default": S3,
    }
    assert problems(storages(**stores)) == (
        "STORAGES.one lacks access_key.",
        "STORAGES.two lacks OPTIONS.",
        "STORAGES.three lacks OPTIONS.",
        "STORAGES.four lacks OPTIONS.",
        "STORAGES.five lacks bucket_name.",
        "STORAGES.five lacks access_key.",
        "STORAGES.five lacks secret_key.",
    )


def test_every_missing_setting_of_earlier_releases_is_told_at_once() -> None:
    names = ("STORAGE_BUCKET_NAME", "STORAGE_ACCESS_KEY_ID", "STORAGE_SECRET_ACCESS_KEY")
    assert problems({}) == tuple(f"Neither {name} nor STORAGES is set." for name in names)
    assert len(problems({**LEGACY, "STORAGE_BUCKET_NAME": ""})) == 1


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"STORAGES": '{"default": {'}, "STORAGES is not valid JSON"),
        ({"STORAGES": "[]"}, "STORAGES must be an object"),
        ({"STORAGES": "{}"}, "STORAGES has no store default; it has none."),
        (storages("two", default=S3, one=S3), "STORAGES has no store two; it has default, one."),
    ],
)
def test_settings_that_name_no_store_are_told(environment: dict[str, str], told: str) -> None:
    (problem,) = problems(environment)
    assert problem.startswith(told)


def test_secrets_are_told_nowhere() -> None:
    found = [stores_of(environment) for environment in (storages(default=S3, a=OLD_DAV, b=NEW_DAV), LEGACY)]
    said = problems(storages(default={"OPTIONS": {"secret_key": "hunter2"}}))
    assert "hunter" not in repr((found, said))


def test_the_usual_store_is_opened_where_this_machine_reaches_it() -> None:
    asked: list[str] = []

    def here(url: str) -> str:
        asked.append(url)
        return "http://127.0.0.1:5000/dav/"

    store = open_store(storages("dav", default=S3, dav=OLD_DAV), here)
    assert isinstance(store, WebDavObjectStore)
    assert asked == ["http://webdav:80/dav/"]
