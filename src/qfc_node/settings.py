"""Django settings of the node. All come from the environment, under QFieldCloud's names where it has them."""

from __future__ import annotations

from pathlib import Path

from . import __version__, environment
from .box.layers import NAMES as LAYERS
from .core.deltafile import DeltafileLimits

SECRET_KEY = environment.secret("SECRET_KEY")
DEBUG = environment.switch("DEBUG")
QFIELDCLOUD_HOST = environment.text("QFIELDCLOUD_HOST", "localhost")
ALLOWED_HOSTS = [
    *environment.words("DJANGO_ALLOWED_HOSTS"),
    QFIELDCLOUD_HOST,
    "localhost",
    "127.0.0.1",
    "[::1]",
]
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")
USE_X_FORWARDED_HOST = environment.switch("DJANGO_USE_X_FORWARDED_HOST")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
RELEASE = environment.text("QFC_NODE_RELEASE", __version__)

#: Folder of the node: blobs, staging, job folders. Nothing else is written.
DATA_DIR = Path(environment.required("QFC_NODE_DATA"))

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "qfc_node.core",
    "qfc_node.worker",
]

MIDDLEWARE = [
    "qfc_node.api.middleware.trailing_slash",
    "qfc_node.api.middleware.RequestIdMiddleware",
    "qfc_node.api.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "qfc_node.urls"
WSGI_APPLICATION = "qfc_node.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": environment.required("POSTGRES_DB"),
        "USER": environment.required("POSTGRES_USER"),
        "PASSWORD": environment.secret("POSTGRES_PASSWORD"),
        "HOST": environment.required("POSTGRES_HOST"),
        "PORT": environment.text("POSTGRES_PORT", "5432"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # Over a network: a server that has disappeared is noticed in seconds, not in hours.
            "keepalives_idle": 5,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
            "sslmode": environment.text("POSTGRES_SSLMODE", "prefer"),
            "application_name": environment.text("QFC_NODE_PROCESS", "qfc-node"),
        },
    }
}

AUTH_USER_MODEL = "core.User"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "qfc_node.api.authentication.NameOrEmailBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "qfc_node.core.passwords.EndsLockout"},
]
#: Hours that an API token is valid.
AUTH_TOKEN_EXPIRATION_HOURS = environment.number("QFIELDCLOUD_AUTH_TOKEN_EXPIRATION_HOURS", 720)

#: As on the official server 5 attempts in 30 minutes, which clients explain to their users. Unlike there an account is
#: locked for one address only: nobody can lock others out.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]
AXES_FAILURE_LIMIT = environment.number("QFC_NODE_LOGIN_FAILURE_LIMIT", 5)
AXES_COOLOFF_TIME = 0.5  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "qfc_node.api.authentication.lockout_name"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_DISABLE_ACCESS_LOG = True

#: Without a host, no e-mail is sent, and the page for a new password says so.
EMAIL_HOST = environment.text("EMAIL_HOST")
EMAIL_PORT = environment.number("EMAIL_PORT", 25)
EMAIL_USE_TLS = environment.switch("EMAIL_USE_TLS")
EMAIL_USE_SSL = environment.switch("EMAIL_USE_SSL")
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.secret("EMAIL_HOST_PASSWORD") if EMAIL_HOST_USER else ""
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "webmaster@localhost")

#: With a memcached all processes share one cache; without it each has its own.
MEMCACHED = environment.text("QFC_NODE_MEMCACHED")
CACHES: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": MEMCACHED,
        # An unreachable cache must behave like an empty one.
        "OPTIONS": {"ignore_exc": True, "connect_timeout": 1, "timeout": 1, "no_delay": True},
    }
    if MEMCACHED
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
SESSION_ENGINE = f"django.contrib.sessions.backends.{'cached_db' if MEMCACHED else 'db'}"

LANGUAGE_CODE = "en"
TIME_ZONE = environment.text("QFIELDCLOUD_DEFAULT_TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = False

STATIC_URL = "staticfiles/"
#: Usually `collectstatic` is not used: the few files of the admin and of Swagger are served from where they are
#: installed. A proxy may serve them from a folder that `collectstatic` fills.
STATIC_ROOT = environment.text("QFC_NODE_STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

#: With a bucket, blobs are in an S3 store; without one, in a folder.
STORAGE_BUCKET_NAME = environment.text("STORAGE_BUCKET_NAME")
STORAGES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if STORAGE_BUCKET_NAME:
    STORAGES["blobs"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "access_key": environment.secret("STORAGE_ACCESS_KEY_ID"),
            "secret_key": environment.secret("STORAGE_SECRET_ACCESS_KEY"),
            "bucket_name": STORAGE_BUCKET_NAME,
            "region_name": environment.text("STORAGE_REGION_NAME") or None,
            "endpoint_url": environment.text("STORAGE_ENDPOINT_URL") or None,
            "file_overwrite": True,
            "default_acl": None,
        },
    }

FILE_UPLOAD_HANDLERS = ["qfc_node.storage.upload.BlobUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
#: Largest file that is accepted, in bytes.
UPLOAD_MAX_BYTES = environment.number("QFC_NODE_UPLOAD_MAX_BYTES", 10 * 1024**3)

#: What one deltafile may have at most, far above what devices send.
DELTAFILE_LIMITS = DeltafileLimits(
    file_bytes=environment.number("QFC_NODE_DELTAFILE_BYTES", 128 * 1024**2),
    deltas=environment.number("QFC_NODE_DELTAFILE_DELTAS", 50_000),
    geometry_bytes=environment.number("QFC_NODE_DELTA_GEOMETRY_BYTES", 16 * 1024**2),
    attribute_bytes=environment.number("QFC_NODE_DELTA_ATTRIBUTE_BYTES", 4 * 1024**2),
)

# Limits of a job, in seconds and bytes; names of the variables as in the official server's constance table.
WORKER_TIMEOUT_S = environment.number("WORKER_TIMEOUT_S", 600)
WORKER_MEMORY_LIMIT = environment.number("QFC_NODE_WORKER_MEMORY_LIMIT", 2 * 1024**3)
APPLY_DELTAS_LIMIT = environment.number("QFC_NODE_APPLY_DELTAS_LIMIT", 1000)
#: The engine that reads, packages and edits projects: a class that implements `qfc_node.gis.port.Engine`.
GIS_ENGINE = environment.text("QFC_NODE_GIS_ENGINE", "qfc_node.gis.native.NativeEngine")
#: Layers of the box of jobs that are left out, see docs/security.md.
BOX_WITHOUT = environment.choices("QFC_NODE_BOX_WITHOUT", LAYERS)
#: Names, addresses and networks in private ranges, possibly with a port, where layers may be in databases.
DATABASE_HOSTS = environment.words("QFC_NODE_DATABASE_HOSTS")
#: How often workers may start a job before it fails, if each of them dies.
JOB_MAX_ATTEMPTS = 3
#: Seconds without a heartbeat after which a lease expires, even if the worker's connection is still open.
LEASE_S = environment.number("QFC_NODE_LEASE_S", 20)
#: The moment since which the release is on trial, as an ISO date; empty: it is not. An upgrade may still be undone, so
#: workers leave the jobs from before it, and the bytes that the database from before it may refer to.
TRIAL_SINCE = environment.text("QFC_NODE_TRIAL_SINCE")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["qfc_node.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "qfc_node.api.error_answers.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "QFieldCloud REST API (qfc node)",
    "DESCRIPTION": "The API for QField, QFieldSync and qfieldcloud-sdk, as the embedded node serves it.",
    "VERSION": __version__,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_NAME_OVERRIDES": {
        "ProjectRoleEnum": "qfc_node.core.models.ProjectRole",
        "PublicRoleEnum": "qfc_node.core.models.PublicRole",
        "ProjectTypeEnum": "qfc_node.core.models.ProjectType",
        "JobTypeEnum": "qfc_node.core.models.JobType",
        "JobStatusEnum": "qfc_node.core.models.JobStatus",
        "DeltaStatusEnum": "qfc_node.core.models.DeltaStatus",
        "OrganizationRoleEnum": "qfc_node.core.models.OrganizationMember.Role",
        "SecretTypeEnum": "qfc_node.core.models.Secret.Type",
        "WorkingEnum": ["ok", "error"],
    },
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = environment.switch("QFC_NODE_SECURE_COOKIES")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "qfc_node.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": environment.text("LOGLEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        # Requests that wait for a thread are no news in a busy minute.
        "waitress.queue": {"level": "ERROR"},
    },
}
