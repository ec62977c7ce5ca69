"""How the API is served: gunicorn keeps the processes, waitress reads whole requests before a thread sees them."""
