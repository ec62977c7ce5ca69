#!/usr/bin/env python3
"""List and create users; set their quota. Calls `qfc users …`; see --help."""

from find_qfc import call

call("users.py")
