"""The skill for AI agents: its scripts under the names that operators know, and the files that belong to it.

scripts.py     every script, the flags that it takes, and the commands that it calls
translate.py   a script's command line, as a command line of `qfc`
files.py       where the skill's files are, and their installation
"""
