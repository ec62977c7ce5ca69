#!/usr/bin/env python3
"""Restart, rebuild or recreate services; show and free disk space. Calls `qfc services …`; see --help."""

from find_qfc import call

call("docker.py")
