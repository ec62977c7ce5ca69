"""The ports that only a deployment of containers has, one per module.

records.py       our documents next to the deployment
source.py        its files under git
settings.py      its .env
traffic.py       maintenance mode: its nginx blocks writes
postgres_tools.py  pg_dump and similar tools, in the database's container or here
dumps.py         dumps of its database
certificates.py  its TLS certificate
tunnels.py       a Cloudflare tunnel in front of it
memory.py        the host's memory
"""
