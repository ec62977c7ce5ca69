"""Other servers, as they answer requests from a deployment's host and from inside its containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...model import MailServer, Reached, Vantage


class NetworkInspection(Protocol):
    """Probes of other servers. Only a greeting, or a GET without credentials, is ever sent to them."""

    def reach(self, vantage: Vantage, url: str) -> Reached:
        """Send a GET without credentials from a vantage point. Raises NotFoundError when its service does not run."""
        ...

    def resolves(self, name: str, vantage: Vantage) -> tuple[str, ...]:
        """Return the addresses of a host name, as resolved at a vantage point; none when it does not resolve.

        Raises NotFoundError as `reach` does.
        """
        ...

    def mail_server(self, host: str, port: int, *, encrypted: bool) -> MailServer:
        """Greet a mail server from the application (EHLO), `encrypted` from the first byte; no mail is sent."""
        ...
