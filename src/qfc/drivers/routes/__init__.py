"""Routes from here to the servers that a deployment's containers use: its database, its store, its API.

A route is a port that the host publishes, the container's own address, or a stream through a container, whichever
works; each uses the connection to the host, so no port has to be opened to the world.

address.py    addresses of services, according to the deployment's own settings
forwards.py   forwarded ports that stay open until the stack is closed
relay.py      a socket on this machine that connects through a container
database.py   the database
endpoint.py   the store, or any other address
api.py        the API
"""
