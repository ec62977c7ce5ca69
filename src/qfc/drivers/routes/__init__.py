"""Ways from here to what a deployment's containers talk to: its database, its store, its API.

A port that the host publishes, the container's own address, or a stream through a container, whichever works; each
over the host's connection, so that nothing has to be opened to the world.

address.py    where something is, as the deployment's own settings say
forwards.py   forwarded ports that stay open until the stack is closed
relay.py      a socket of this machine that leads through a container
database.py   the database
"""
