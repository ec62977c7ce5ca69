"""Lines that services write when something is wrong, by the check that must find them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

#: The service and its line; requests of nginx as they are shown.
WRITTEN: Mapping[str, tuple[str, str]] = {
    "A06-log": ("app", 'psycopg2.OperationalError: invalid sslmode value: "prefer # or require"'),
    "A12-log": ("app", "  File \"os.py\", line 685, in __getitem__\n    raise KeyError(key)\nKeyError: 'SALT_KEY'"),
    "A13-log": ("app", 'psycopg2.errors.UndefinedTable: relation "core_user" does not exist'),
    "A15-log": ("db", "could not extend file: No space left on device"),
    "A11-log": ("worker_wrapper", "pymemcache.exceptions.MemcacheUnexpectedCloseError"),
    "B02": ("nginx", '[emerg] 1#1: duplicate location "/" in /etc/nginx/conf.d/default.conf:91'),
    "B05-log": ("app", "Expected to either run behind nginx proxy, debug mode or within a test suite."),
    "B12": ("app", "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
    "B13": ("nginx", "*5 client intended to send too large body: 11000000 bytes"),
    "B14": ("app", "WORKER TIMEOUT (pid:17)"),
    "B16": ("nginx", "*48 minio.example could not be resolved (3: Host not found)"),
    "B18-log": ("nginx", 'cannot load certificate "/etc/nginx/certs/x.pem": BIO_new_file() failed'),
    "C07-log": ("app", "ConfigValidationError: Missing STORAGES_PROJECT_DEFAULT_STORAGE"),
    "C10-log": ("app", "psycopg2.errors.NumericValueOutOfRange: integer out of range"),
    "D09": ("worker_wrapper", "NotImplementedError: Unknown job type create_project"),
    "D12-log": ("worker_wrapper", "Expected `worker_wrapper` to be connected to the master DB node!"),
    "D13-log": ("worker_wrapper", "docker.errors.DockerException: Error while fetching server API version"),
    "D15-log": ("worker_wrapper", "[QFC/Worker/1001] Failed to read logs."),
    "E08-log": ("app", "cryptography.fernet.InvalidToken"),
    "F06": ("app", "duplicate_deltafile"),
    "F11": ("nginx", "POST 500 /admin/core/delta/ 0.120 s 12 bytes"),
    "G07": ("nginx", "POST 405 /api/v1/deltas/4ad2fe27/ 0.001 s"),
    "G08": ("nginx", "GET 403 /api/v1/subscriptions/bob/current/ 0.001 s"),
    "H06-log": ("app", "smtplib.SMTPAuthenticationError: (535, b'no')"),
    "I03-log": ("db", "database files are incompatible with server"),
    "A12-start": ("app", "ValueError: invalid literal for int() with base 10: ''"),
    "A03-log": ("app", "ValueError: Missing staticfiles manifest entry for 'admin/css/base.css'"),
    "B14-host": ("nginx", '[emerg] 1#1: host not found in upstream "app" in /etc/nginx/conf.d/default.conf:12'),
    "C01-log": ("app", 'Could not connect to the endpoint URL: "http://host.docker.internal:8009/files"'),
    "D12-password": ("app", 'FATAL:  password authentication failed for user "qfieldcloud_db_admin"'),
    "D13-client": ("worker_wrapper", "client version 1.39 is too old. Minimum supported API version is 1.44"),
    "G05-oidc": ("app", "allauth.socialaccount.providers.oauth2.client.OAuth2Error: token already used"),
    "connections-log": ("db", "FATAL: sorry, too many clients already"),
}  # fmt: skip
_REQUEST = re.compile(r"([A-Z]+) (\d{3}) (\S+) ")


def raw(text: str) -> str:
    """Return a line as the service itself writes it."""
    request = _REQUEST.match(text)
    if request is None:
        return text
    return json.dumps({"method": request[1], "status": int(request[2]), "uri": request[3], "resp_time": "0.1"})
