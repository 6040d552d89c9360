"""The form that all commands share: the options of the stage and of the output, and one way to answer.

A command is a function `(session, …) -> Answer | None`. `None` means that it has written its output itself.
"""

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from cli.answer import Answer
from cli.errors import OK
from cli.session import Session, next_steps
from cli.stage import API_VARIABLE, STAGE_VARIABLE, Given, LocalStackFile, choose_stage, somebody_answers
from cli.visible import visible_json

Command = Callable[..., Answer | None]
STAGE = "Stage and output"
_SHARED: dict[str, Any] = {
    "stage": Annotated[
        str | None,
        typer.Option(
            "--stage",
            help=f"The stage. Also {STAGE_VARIABLE}, or {API_VARIABLE} for its API alone.",
            rich_help_panel=STAGE,
        ),
    ],
    "region": Annotated[
        str | None, typer.Option("--region", help="Its region. Also AWS_REGION.", rich_help_panel=STAGE)
    ],
    "profile": Annotated[
        str | None, typer.Option("--profile", help="A profile of AWS. Also AWS_PROFILE.", rich_help_panel=STAGE)
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=STAGE)],
    "query": Annotated[
        str | None,
        typer.Option("--query", help="Print what this JMESPath expression finds, as JSON.", rich_help_panel=STAGE),
    ],
}


def add_command(app: typer.Typer, function: Command, *, name: str | None = None, panel: str | None = None) -> None:
    """Add a command to the program. Its help is the function's docstring; each command gets the shared options."""

    def run(**values: Any) -> None:
        shared = {key: values.pop(key) for key in _SHARED}
        session = open_session(**shared)
        finish(session, function(session, **values))

    signature = inspect.signature(function, eval_str=True)
    own = list(signature.parameters.values())[1:]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    parameters += [
        inspect.Parameter(
            key, inspect.Parameter.KEYWORD_ONLY, default=False if key == "as_json" else None, annotation=annotation
        )
        for key, annotation in _SHARED.items()
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__ = inspect.getdoc(function)
    app.command(name or function.__name__.replace("_", "-"), rich_help_panel=panel)(run)


class _ListedByDefault(typer.core.TyperGroup):
    """A group whose command `list` runs if none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        help_names = ctx.help_option_names
        # While the shell completes, the commands of the group are what is looked for.
        if not ctx.resilient_parsing and (not args or (args[0].startswith("-") and args[0] not in help_names)):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def add_group(app: typer.Typer, name: str, text: str, *, panel: str, has_list: bool = False) -> typer.Typer:
    """Add a group of commands and return it, for `add_command`. With `has_list` its name alone runs its `list`."""
    kind = _ListedByDefault if has_list else typer.core.TyperGroup
    group = typer.Typer(cls=kind, no_args_is_help=not has_list, help=text)
    app.add_typer(group, name=name, rich_help_panel=panel)
    return group


def open_session(
    *, stage: str | None, region: str | None, profile: str | None, as_json: bool, query: str | None
) -> Session:
    """Return the session of a run. Raises CommandFailed if it is unclear which stage is meant."""
    given = Given.of(stage, region, profile, os.environ)
    local = LocalStackFile.find(os.environ, Path.cwd())
    chosen = choose_stage(given, os.environ, local, somebody_answers)
    return Session(chosen, as_json=as_json or query is not None, query=query)


def finish(session: Session, answer: Answer | None) -> None:
    """Print the answer, and end with its exit code."""
    if answer is None:
        return
    if session.as_json:
        print(visible_json(session.found(answer.data)))
    else:
        answer.show(session.out)
        next_steps(session, answer.next_steps)
    if answer.exit_code != OK:
        raise typer.Exit(answer.exit_code)
