#!/bin/sh
# Look at the server, and record what was seen. Calls `qfc maintenance run quick-check`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" qfield_quick_check.sh "$@"
