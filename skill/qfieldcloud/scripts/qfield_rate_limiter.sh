#!/bin/sh
# Limit how often projects are synchronised; devices keep what is refused. Calls `qfc ratelimit …`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" qfield_rate_limiter.sh "$@"
