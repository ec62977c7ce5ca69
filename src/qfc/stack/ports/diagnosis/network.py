"""Other servers, as they answer on a deployment's host and inside its containers."""

from __future__ import annotations

from typing import Protocol

from ...model import MailServer, Reached, Vantage


class NetworkInspection(Protocol):
    """Looks at other servers. Nothing is sent to them but a greeting, or a GET without credentials."""

    def reach(self, vantage: Vantage, url: str) -> Reached:
        """Send a GET without credentials from there. Raises NotFoundError when there is nobody who could."""
        ...

    def resolves(self, name: str, vantage: Vantage) -> tuple[str, ...]:
        """Return the addresses to which a name leads there, none when it leads nowhere. Raises as `reach` does."""
        ...

    def mail_server(self, host: str, port: int, *, encrypted: bool) -> MailServer:
        """Greet a mail server from the application (EHLO), `encrypted` from the first byte; nothing is sent."""
        ...
