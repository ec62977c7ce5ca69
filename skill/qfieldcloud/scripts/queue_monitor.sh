#!/bin/sh
# Measure the queue, record that, and show it over time: for a line of cron. Calls `qfc metrics …`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" queue_monitor.sh "$@"
