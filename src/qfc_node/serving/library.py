"""What we extend of waitress, which has no types of its own."""

from __future__ import annotations

from typing import Any

from waitress import adjustments, channel, parser, server, task, utilities, wasyncore

Adjustments: Any = adjustments.Adjustments
Dispatcher: Any = task.ThreadedTaskDispatcher
Error: Any = utilities.Error
ErrorTask: Any = task.ErrorTask
HTTPChannel: Any = channel.HTTPChannel
HTTPRequestParser: Any = parser.HTTPRequestParser
TcpWSGIServer: Any = server.TcpWSGIServer
WSGITask: Any = task.WSGITask
loop: Any = wasyncore.loop
