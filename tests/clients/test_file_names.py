"""Files with names that addresses, forms and file systems treat in their own ways: whole through every request."""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import quote

import pytest

from qfc.drivers.postgres_server import Endpoint

COMPOSED = unicodedata.normalize("NFC", "Flächen/Übersicht é.pdf")
NAMES = [
    "DCIM/plot #3.jpg",
    "50%.csv",
    "50%25.csv",
    "a+b c.tif",
    "a=b&c;d.txt",
    "it's (1) [2] {3}.txt",
    "日本/地図 🌳.gpkg",
    COMPOSED,
    # As macOS writes it: other bytes, so another file.
    unicodedata.normalize("NFD", COMPOSED),
]


@pytest.fixture
def speaker(node_database: Endpoint) -> Any:
    from api_world import Speaker, person

    return Speaker(person("alice"), "qfield")


def test_a_name_that_devices_cannot_store_is_refused_with_the_character(speaker: Any) -> None:
    from qfc_node.core.models import Project, User

    project = Project.objects.create(name="survey", owner=User.objects.get(username="alice"))
    answer = speaker.send(f"files/{project.pk}/{quote('a?b.txt')}/", b"content")
    assert (answer.status_code, "'?'" in str(answer.json())) == (400, True)


def test_odd_names_are_kept_whole(speaker: Any) -> None:
    from qfc_node.core.models import Project, User

    project = Project.objects.create(name="survey", owner=User.objects.get(username="alice"))
    files = {name: f"content of {number}".encode() for number, name in enumerate(NAMES)}
    for name, content in files.items():
        assert speaker.send(f"files/{project.pk}/{quote(name)}/", content).status_code == 201, name

    listed = speaker.get(f"files/{project.pk}/").json()

    assert sorted(file["name"] for file in listed) == sorted(NAMES)
    for name, content in files.items():
        address = f"files/{project.pk}/{quote(name)}/"
        assert speaker.get(address).body == content, name
        assert speaker.get(f"files/metadata/{project.pk}/{quote(name)}/").json()["name"] == name
    for left, name in enumerate(NAMES, 1 - len(NAMES)):
        assert speaker.delete(f"files/{project.pk}/{quote(name)}/").status_code == 204, name
        assert len(speaker.get(f"files/{project.pk}/").json()) == -left
