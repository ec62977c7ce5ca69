"""Drivers and twins that name a port as their base implement all of it.

A class inherits what it forgets from the port, whose methods do nothing and return None: nothing else would notice.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import pytest

import twins
from qfc import drivers, wiring
from qfc.stack import ports


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def is_port(cls: type) -> bool:
    return bool(vars(cls).get("_is_protocol"))


def ports_of(module: ModuleType) -> set[type]:
    return {cls for cls in vars(module).values() if isinstance(cls, type) and is_port(cls)}


def below(cls: type) -> set[type]:
    direct = set(cls.__subclasses__())
    return direct | {deeper for one in direct for deeper in below(one)}


def promised_by(port: type) -> set[str]:
    """Return the methods and properties of a port. Using a forgotten attribute raises AttributeError anyway."""
    return {name for name in vars(port) if not name.startswith("_")}


def defined_by(cls: type) -> set[str]:
    """Return what a class itself defines, including fields and attributes that it only annotates."""
    return {*vars(cls), *vars(cls).get("__annotations__", {})}


def forgotten(cls: type) -> set[str]:
    """Return the members of a class's ports that only the ports define."""
    promised = {name for one in cls.__mro__ if is_port(one) for name in promised_by(one)}
    return promised - {name for one in cls.__mro__ if not is_port(one) for name in defined_by(one)}


ALL_PORTS = {port for module in modules_of(ports) for port in ports_of(module)}


def implementations() -> list[type]:
    """Return the classes of ours that name a port as their base. Base classes of others may be incomplete."""
    for package in (drivers, wiring, twins):
        list(modules_of(package))
    found = {cls for port in ALL_PORTS for cls in below(port) if is_ours(cls)}
    return sorted(
        (cls for cls in found if not any(map(is_ours, cls.__subclasses__()))), key=lambda cls: cls.__qualname__
    )


def is_ours(cls: type) -> bool:
    """Return whether a class is a driver or twin; tests in the same process subclass some of them."""
    return cls.__module__.startswith(tuple(package.__name__ for package in (drivers, wiring, twins)))


@pytest.mark.parametrize("cls", implementations(), ids=lambda cls: cls.__qualname__)
def test_a_class_implements_every_member_of_its_ports(cls: type) -> None:
    assert not forgotten(cls)


def test_drivers_and_twins_are_among_the_classes() -> None:
    names = {cls.__qualname__ for cls in implementations()}
    assert {"LocalHost", "PostgresJobStore", "ComposeDeployment", "MemoryQueue"} <= names


def test_a_forgotten_member_is_found() -> None:
    class Half(ports.Lock):
        def identity(self) -> str:
            return "nobody@nowhere"

    assert forgotten(Half) == {"take", "release", "holder", "is_ours"}


def test_annotated_attributes_and_inherited_methods_count() -> None:
    class Named:
        name: str

    @dataclass(frozen=True)
    class Driver(Named, ports.Host):
        run = read_bytes = write_bytes = disk = cast(Any, None)

    assert not forgotten(Driver)
