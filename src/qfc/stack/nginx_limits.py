"""Limits as nginx's configuration, and what its log says of refused requests.

nginx defines zones only outside of servers, where an official deployment includes nothing of the host's. So there are
two files: `zones` is included at that place, and limits; `answer` is in the folder that servers include, and only says
how a refusal looks. Each is harmless without the other.

Requests without credentials are not counted: the application refuses them, and they would take the places of devices.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from .model import LogLine
from .rate_limits import RateLimits, RefusedSyncs, Throttle, from_document, to_document

#: The header in which the operator's own requests carry the password that exempts them.
PROBE_HEADER = "X-Qfc-Probe"
RETRY_AFTER_S = 60
_MARK = "# limits "
_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PASSWORD = re.compile(r"[0-9A-Za-z]+")
#: A refused request in nginx's log as `drivers/log_lines.py` tells it; what the application answered has its time.
_REFUSED = re.compile(rf"POST 429 /api/v1/(?:jobs|deltas/(?:apply/)?({_ID})|files/({_ID}))/?(?:[ /?]|$)(?!.*\(app )")
_ZONES = r"""{mark}{document}
# Created by qfc: limits how often projects are synchronised. To remove it, type: qfc ratelimit disable
map $http_x_qfc_probe $qfc_is_probe {{
  default 0;
  "{password}" 1;
}}
map "$http_authorization$cookie_sessionid" $qfc_is_nobody {{
  default 0;
  "" 1;
}}
map "$qfc_is_probe$qfc_is_nobody;$request_method;$uri" $qfc_sync_project {{
  default "";
  "~^00;POST;/api/v1/deltas/(?:apply/)?(?<qfc_pushed>{id})/?$" $qfc_pushed;
  "~^00;POST;/api/v1/files/(?<qfc_uploaded>{id})/.*\.(?i:qgs|qgz)/?$" $qfc_uploaded;
}}
map "$qfc_is_probe$qfc_is_nobody;$request_method;$uri;$qfc_sync_project" $qfc_sync {{
  default "";
  "~^00;POST;/api/v1/jobs/?;$" all;
  "~;{id}$" all;
}}
limit_req_status 429;
"""
#: A named location: it keeps the request's method, which the log is searched for.
_ANSWER = f"""# Created by qfc: the answer to a refused synchronisation. To remove it, type: qfc ratelimit disable
error_page 429 @qfc_limited;
location @qfc_limited {{
  default_type application/json;
  add_header Retry-After {RETRY_AFTER_S} always;
  add_header Cache-Control no-store always;
  return 429 '{{"code":"too_many_requests","message":"Too many synchronisations: \
try again in {RETRY_AFTER_S} s; nothing is lost"}}';
}}
"""


def answer() -> str:
    """Return the file for servers: devices get JSON that they understand, and when to try again."""
    return _ANSWER


def zones(limits: RateLimits, password: str) -> str:
    """Return the file with the limits; its first line is read by `read`. The password is letters and digits."""
    if not _PASSWORD.fullmatch(password):
        raise ValueError("the password has to consist of letters and digits")
    document = json.dumps({"limits": to_document(limits), "password": password})
    head = _ZONES.format(mark=_MARK, document=document, password=password, id=_ID)
    return head + "".join(_directives(limits))


def read(text: str) -> tuple[RateLimits, str]:
    """Return the limits and the password of the file. Raises ValueError if it is not ours."""
    first = text.partition("\n")[0]
    if not first.startswith(_MARK):
        raise ValueError("it does not begin with the limits")
    document = json.loads(first.removeprefix(_MARK))
    try:
        return from_document(document["limits"]), str(document["password"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks {error}") from error


def _directives(limits: RateLimits) -> Iterator[str]:
    if limits.all_per_minute is not None:
        yield _limit("qfc_sync", limits.all_per_minute, "64k")
    if limits.project_per_minute is not None:
        yield _limit("qfc_sync_project", limits.project_per_minute, "1m")
    for number, throttle in enumerate(limits.throttled):
        yield from _throttle(f"qfc_throttle_{number}", throttle)


def _throttle(name: str, throttle: Throttle) -> Iterator[str]:
    still = f'"~^(?:{before(throttle.until)})\\."' if throttle.until else '"~."'
    yield f"map $msec ${name}_holds {{\n  default 0;\n  {still} 1;\n}}\n"
    yield (
        f'map "${name}_holds;$qfc_sync_project" ${name} {{\n'
        f'  default "";\n  "1;{throttle.project_id}" $qfc_sync_project;\n}}\n'
    )
    yield _limit(name, throttle.per_minute, "64k")


def _limit(name: str, per_minute: int, size: str) -> str:
    """Return a zone and its use: as many requests at once as in a minute, then one at a time."""
    burst = f" burst={per_minute - 1} nodelay" if per_minute > 1 else ""
    return f"limit_req_zone ${name} zone={name}:{size} rate={per_minute}r/m;\nlimit_req zone={name}{burst};\n"


def before(moment: datetime) -> str:
    """Return a pattern of the seconds since 1970 before a time, so that nginx itself ends a limit."""
    digits = f"{int(moment.timestamp()):010d}"
    smaller = ((place, int(digit) - 1) for place, digit in enumerate(digits) if digit != "0")
    return "|".join(f"{digits[:place]}[0-{most}]\\d{{{9 - place}}}" for place, most in smaller)


def refused(lines: Iterable[LogLine]) -> tuple[RefusedSyncs, ...]:
    """Count what nginx refused, by project, most first."""
    numbers, last = Counter[str | None](), dict[str | None, datetime | None]()
    for line in lines:
        if found := _REFUSED.match(line.text):
            project = found[1] or found[2]
            numbers[project] += 1
            last[project] = line.time or last.get(project)
    return tuple(RefusedSyncs(project, number, last[project]) for project, number in numbers.most_common())
