#!/bin/sh
# Restart idle workers, one at a time. Calls `qfc maintenance run restart-workers`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" qfield_scheduled_restart.sh "$@"
