#!/usr/bin/env python3
"""Probe the server the way its clients reach it. Calls `qfc health`; see --help."""

from find_qfc import call

call("health.py")
