#!/usr/bin/env python3
"""Watch the server, repair what is safe, tell people of the rest. Calls `qfc monitor …`; see --help."""

from find_qfc import call

call("qfield_monitor_daemon.py")
