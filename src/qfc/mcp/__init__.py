"""The commands of `qfc` as tools for an AI agent, over the Model Context Protocol. A front end like `cli/`.

effects.py     what a command does: looks, adds, or takes away
tools.py       a command of the command line, described as a tool, and its arguments as a command line
calls.py       a command line, run in a process of its own
plans.py       changes that were shown and may be made, for a while
toolbox.py     the tools that a server has, and what a call of one does
reading.py     what can be read: resources and prompts
server.py      all of it as a server of the official SDK
serve.py       over standard input and output, or over HTTP with a token

Tools are made from the command line's own tree: a new command is a new tool. The tree is handed in, because the command
line imports this package.
"""
