"""What only a deployment of containers has, one port a module.

records.py       our documents beside the deployment
source.py        its files under git
settings.py      its .env
traffic.py       requests that change something, held off by its nginx
postgres_tools.py  pg_dump and its like: in the database's container, or here
dumps.py         dumps of its database
certificates.py  its TLS certificate
tunnels.py       a Cloudflare tunnel in front of it
memory.py        the host's memory
"""
