#!/bin/sh
# The maintenance of a day: backup, database, stuck jobs, report. Calls `qfc maintenance run daily`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" qfield_daily_maintenance.sh "$@"
