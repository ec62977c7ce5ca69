#!/bin/sh
# The use of the server, by day and week. Calls `qfc maintenance run stats`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" qfield_stats.sh "$@"
