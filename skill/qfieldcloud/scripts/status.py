#!/usr/bin/env python3
"""Services, their health, the queue and the disk. Calls `qfc status`; see --help."""

from find_qfc import call

call("status.py")
