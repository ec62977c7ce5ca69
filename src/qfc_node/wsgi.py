"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from .serving.proxies import behind_proxies, trusted_proxies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qfc_node.settings")
application = behind_proxies(get_wsgi_application(), trusted_proxies())
