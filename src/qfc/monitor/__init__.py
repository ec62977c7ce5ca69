"""The monitor: a front end beside the command line. It looks, decides, acts within limits, and says so.

    watcher.py   one stack: looks, decisions, repairs
    sender.py    the messages of all stacks, from their outboxes to people
    notify.py    what systemd hears, and the address that is requested while all is well
    daemon.py    all of it, until somebody ends it

Decisions are pure (`qfc.stack.monitor`); what is done is done by operations, under the stack's lock.
"""
