"""The demo: two phones, one worker killed, every edit there exactly once. Talks to the node over HTTP only."""
