"""The ports that only a deployment of containers has, one per module.

source.py          its files under git
settings.py        its .env
nginx.py           reloading its nginx
traffic.py         maintenance mode: its nginx blocks writes
postgres_tools.py  pg_dump and similar tools, in the database's container or here
dumps.py           dumps of its database
certificates.py    its TLS certificate
self_signed.py     self-signed certificates
tunnels.py         a Cloudflare tunnel in front of it
cache.py           its memcached
memory.py          the host's memory
"""
