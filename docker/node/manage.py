"""The node's management commands, under the name that operators of QFieldCloud know."""

from qfc_node.__main__ import main

if __name__ == "__main__":
    main()
