#!/bin/sh
# Free what is not needed; never volumes, never what a way back needs. Calls `qfc maintenance run cleanup`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" qfield_cleanup.sh "$@"
