"""The demo: two phones, one worker killed, every edit applied exactly once. Talks to the node only over HTTP."""
