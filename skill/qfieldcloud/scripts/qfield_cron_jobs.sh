#!/bin/sh
# The jobs of maintenance: list them, or let cron start them. Calls `qfc maintenance …`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" qfield_cron_jobs.sh "$@"
