"""The routes to a deployment's API: as its clients reach it, through its nginx, and directly to the application."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit

from ...errors import ConfigError, NotFoundError, QfcError, UnreachableError
from ...stack.api_status import STATUS
from ...stack.model import ApiAnswer, ApiRequest
from ...stack.ports import Api
from ..api import HttpApi, Route
from ..docker.containers import Container
from .address import Place, places
from .forwards import Forwards

HTTPS = 443
APP_PORT = 8000
LOOK_S = 5.0
LOCAL_NAMES = ("localhost", "127.", "[::1]", "0.0.0.0")


@dataclass(frozen=True)
class Names:
    """The deployment's own names: `host` in its `Host` headers, `url` for its clients."""

    host: str
    url: str


def names_of(environment: Mapping[str, str], public_host: str | None) -> Names:
    """Return the names of a server, from its nginx's environment. Raises ConfigError without a host."""
    host = environment.get("QFIELDCLOUD_HOST", "").strip()
    if not host and not public_host:
        raise ConfigError(
            ["QFIELDCLOUD_HOST is not set for this deployment."],
            hint="Set it in .env, or set public_host of the stack.",
        )
    port = environment.get("WEB_HTTPS_PORT", "")
    suffix = f":{port}" if port.isdigit() and int(port) != HTTPS else ""
    return Names(host or (public_host or "").partition(":")[0], f"https://{public_host or host + suffix}")


@dataclass(frozen=True)
class Topology:
    """The deployment's containers and its nginx's environment, and whether it is on this machine."""

    containers: Sequence[Container]
    environment: Mapping[str, str]
    is_here: bool
    public_host: str | None = None


class ApiRoutes:
    """All routes to one deployment's API. `certificate` reads that of its nginx, to trust exactly this one."""

    def __init__(
        self, forwards: Callable[[], Forwards], topology: Callable[[], Topology], certificate: Callable[[], str]
    ) -> None:
        self._open, self._look, self._certificate = forwards, topology, certificate

    @cached_property
    def forwards(self) -> Forwards:
        """Forwarded ports of the host."""
        return self._open()

    @cached_property
    def _topology(self) -> Topology:
        return self._look()

    @cached_property
    def names(self) -> Names:
        """The deployment's own names. Raises ConfigError."""
        return names_of(self._topology.environment, self._topology.public_host)

    @cached_property
    def own_trust(self) -> ssl.SSLContext:
        """A context that trusts the usual authorities, and the deployment's own certificate, even a self-signed one."""
        context = ssl.create_default_context()
        with suppress(QfcError, ssl.SSLError):
            context.load_verify_locations(cadata=self._certificate())
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    def forget(self) -> None:
        """Drop what is cached: recreated containers have other addresses."""
        for name in ("_topology", "names", "own_trust"):
            self.__dict__.pop(name, None)

    def public(self) -> HttpApi:
        """Return the API as its clients reach it. Raises UnreachableError if its name means another machine here."""
        name = self.names.url.partition("://")[2]
        if name.startswith(LOCAL_NAMES) and not self._topology.is_here:
            raise UnreachableError(
                f"{self.names.url} works only on the server itself.",
                hint="Set public_host of the stack to the name that clients use.",
            )
        return HttpApi(self.names.url)

    def nginx(self) -> HttpApi:
        """Return the API through the port that nginx publishes, or its own address. Raises NotFoundError."""
        here = self._first("nginx", HTTPS)
        port = self.names.url.partition("://")[2].partition(":")[2]
        url = f"https://{self.names.host}" + (f":{port}" if port else "")
        return HttpApi(url, Route(here.address, here.port, self.own_trust))

    def app(self) -> HttpApi:
        """Return the API without nginx. Raises NotFoundError."""
        here = self._first("app", APP_PORT)
        # Without the header the application answers that it accepts only HTTPS.
        headers = {"Host": self.names.host, "X-Forwarded-Proto": "https"}
        return HttpApi(f"http://{self.names.host}", Route(here.address, here.port, headers=headers))

    def legs(self) -> dict[str, Api]:
        """Return the API by each existing route, by the name of the route."""
        found: dict[str, Api] = {}
        makers: dict[str, Callable[[], Api]] = {"public": self.public, "nginx": self.nginx, "app": self.app}
        for name, make in makers.items():
            with suppress(QfcError):
                found[name] = make()
        return found

    def doors(self) -> list[tuple[str, Place]]:
        """Return the name that clients use with each place where TLS ends: as clients reach it, then nginx itself."""
        parts = urlsplit(self.names.url)
        name = parts.hostname or self.names.host
        outside = [(name, Place(name, parts.port or HTTPS))] if "public" in self.legs() else []
        # nginx may have been recreated since the routes were found.
        own = [one for one in self._look().containers if one.service == "nginx"]
        inside = [(name, self.forwards.to(place)) for place in places("nginx", HTTPS, own) if own]
        return outside + inside

    def best(self) -> HttpApi:
        """Return the API by the first route that answers. Raises the error of the last one."""
        last: QfcError | None = None
        for make in self._trusting():
            try:
                api = make()
                api.get(STATUS, timeout_s=LOOK_S)
            except QfcError as error:
                last = error if last is None or not isinstance(error, NotFoundError) else last
            else:
                return api
        raise last or UnreachableError("The API cannot be reached.", hint="Type: qfc status")

    def _trusting(self) -> Iterator[Callable[[], HttpApi]]:
        yield self.public
        yield lambda: HttpApi(self.public().url, Route(context=self.own_trust))
        yield self.nginx

    def _first(self, service: str, port: int) -> Place:
        last: QfcError | None = None
        for place in places(service, port, [one for one in self._topology.containers if one.service == service]):
            try:
                if place.address != service:
                    return self.forwards.to(place)
            except UnreachableError:
                raise
            except QfcError as error:
                last = error
        raise last or NotFoundError(f"{service} does not run.", hint=f"Type: qfc services restart --service {service}")


class BestApi(Api):
    """The API by the best route, which is found on first use."""

    def __init__(self, routes: ApiRoutes) -> None:
        self._routes = routes

    @cached_property
    def _api(self) -> HttpApi:
        return self._routes.best()

    def forget(self) -> None:
        """Find the route again on the next use."""
        self._routes.forget()
        self.__dict__.pop("_api", None)

    def answers(self) -> bool:
        """Return whether the API answers by any route, found again: containers may have other addresses now."""
        self.forget()
        try:
            return self.get(STATUS).status < HTTPStatus.BAD_GATEWAY
        except QfcError:
            return False

    @property
    def url(self) -> str:
        """The address for clients."""
        return self._routes.names.url

    def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
        return self._api.get(path, timeout_s=timeout_s)

    def send(self, request: ApiRequest, *, timeout_s: float = 30, sink: BinaryIO | None = None) -> ApiAnswer:
        return self._api.send(request, timeout_s=timeout_s, sink=sink)
