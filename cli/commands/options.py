"""Options that several commands share, and what they become in a request."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from cli.errors import UsageWrong
from cli.values import options_of, pairs

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it has ended. The exit code is 1 if it failed.")]
Provider = Annotated[str | None, typer.Option(help="The provider of the insights.")]
OfProvider = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="An option of the provider.")]
Reference = Annotated[str | None, typer.Option(help="Your own id of the recording, such as a ticket.")]
Metadata = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A text of yours. Repeat it.")]
Speakers = Annotated[list[str] | None, typer.Option(metavar="ID=NAME", help="The name of a speaker. Repeat it.")]
Insights = Annotated[
    bool | None, typer.Option("--insights/--no-insights", help="Whether a model derives insights, as the stage does.")
]
Request = Annotated[
    str | None, typer.Option(metavar="FILE|-", help="The body of the request as JSON. Options win over it.")
]
Key = Annotated[
    str | None, typer.Option(help="Your key of the request: a repeat with it gives the same recording. Else a new one.")
]


def fields(
    provider: str | None,
    option: list[str] | None,
    reference: str | None,
    metadata: list[str] | None,
    speaker: list[str] | None,
    insights: bool | None,
) -> dict[str, Any]:
    """Return the fields that starts and uploads share, of the options that are given."""
    given: dict[str, Any] = {
        "provider": provider,
        "options": options_of(option) or None,
        "reference": reference,
        "metadata": pairs(metadata, "--metadata") or None,
        "speakers": pairs(speaker, "--speaker") or None,
        # {} is what the stage derives.
        "insights": None if insights is None else ({} if insights else False),
    }
    return {name: value for name, value in given.items() if value is not None}


def key_header(key: str | None) -> dict[str, str]:
    """Return the header that makes a request repeatable."""
    key = key or str(uuid4())
    if not (key.isascii() and key.isprintable() and " " not in key and len(key) <= 255):
        raise UsageWrong("--idempotency-key: give 1 to 255 visible ASCII characters.")
    return {"idempotency-key": key}
