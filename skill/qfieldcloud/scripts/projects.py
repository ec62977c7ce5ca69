#!/usr/bin/env python3
"""Projects and what is wrong with them; export one. Calls `qfc projects …`; see --help."""

from find_qfc import call

call("projects.py")
