#!/bin/sh
# Set up monitor, limits, maintenance by schedule and backups at once. Calls `qfc protect`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" SETUP_PREVENTION.sh "$@"
