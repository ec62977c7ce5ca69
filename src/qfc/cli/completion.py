"""`qfc completion SHELL`: the script with which a shell completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..errors import UsageError

HELP = """Print the completion script for a shell.

\b
  bash:  qfc completion bash > ~/.local/share/bash-completion/completions/qfc
  zsh:   qfc completion zsh > "${fpath[1]}/_qfc"
  fish:  qfc completion fish > ~/.config/fish/completions/qfc.fish
"""


@click.command(help=HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script."""
    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"qfc has no completion for {shell}.")
    click.echo(kind(context.find_root().command, {}, "qfc", "_QFC_COMPLETE").source())
