# Sends a GET to $1 with whichever program there is, and prints "STATUS SECONDS", or "! why not". A redirect is an answer.
# It ends with 69 where there is no such program.
LC_ALL=C
export LC_ALL
url=$1 limit=$2

with_curl() {
    answer=$(curl --silent --show-error --insecure --max-time "$limit" --output /dev/null \
        --write-out '\n%{http_code} %{time_total}' "$url" 2>&1) && { printf '%s\n' "$answer" | tail -n 1; return; }
    printf '%s\n' "$answer" | sed -n '/^curl:/{ s/^curl: ([0-9]*) /! /p; q; }'
}

with_python() {
    python3 - "$url" "$limit" <<'END'
import ssl, sys, time
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit
parts, limit, began = urlsplit(sys.argv[1]), float(sys.argv[2]), time.monotonic()
try:
    if parts.scheme == "https":
        way = HTTPSConnection(parts.netloc, timeout=limit, context=ssl._create_unverified_context())
    else:
        way = HTTPConnection(parts.netloc, timeout=limit)
    way.request("GET", parts.path or "/")
    print(way.getresponse().status, time.monotonic() - began)
except Exception as error:
    print("!", error or type(error).__name__)
END
}

with_wget() {
    said=$(wget --no-check-certificate -S -T "$limit" -O /dev/null "$url" 2>&1)
    status=$(printf '%s\n' "$said" | sed -n 's|.*HTTP/[0-9.]* \([0-9][0-9][0-9]\).*|\1|p' | head -n 1)
    [ -n "$status" ] && echo "$status" || printf '! %s\n' "$(printf '%s\n' "${said:-no answer}" | tail -n 1)"
}

if command -v curl >/dev/null 2>&1; then with_curl
elif command -v python3 >/dev/null 2>&1; then with_python
elif command -v wget >/dev/null 2>&1; then with_wget
else exit 69
fi
