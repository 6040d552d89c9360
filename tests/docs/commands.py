"""The shell commands of a page, taken apart as a shell does."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.docs.pages import Fence, Page

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_EXPORT = re.compile(r"export (?P<name>\w+)=\$\((?P<command>.*)\)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_REQUEST_LINE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /")
_CURL_OPTIONS = {"--aws-sigv4", "--user", "-H", "-X", "--json"}


@dataclass(frozen=True)
class Command:
    """One command: its words without quotes, and the variables that are set in front of it."""

    line: int
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def program(self) -> str:
        return self.words[0]


@dataclass(frozen=True)
class Call:
    """What a curl command sends: `path` is below the API's address, `body` is JSON text.

    `signature` is what the command gives as `--aws-sigv4`, empty if it does not sign.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None
    signature: str


def commands_of(page: Page) -> Iterator[Command]:
    """Every command in the page's blocks of shell, and those of make and of `recordings` in its prose."""
    for fence in page.fences:
        if is_shell(fence):
            yield from commands_in(fence.text, fence.line)
    for span in page.code_spans:
        if span.startswith(("make ", "recordings ")):
            yield from commands_in(span, 0)


def is_shell(fence: Fence) -> bool:
    """Whether a block holds commands; one without a language may also be a request."""
    return fence.language == "sh" or (not fence.info and not _REQUEST_LINE.match(fence.text))


def request_in(fence: Fence) -> tuple[str, str] | None:
    """The route and the JSON text of a block that begins with a request line, such as "POST /recordings"."""
    if fence.info or not _REQUEST_LINE.match(fence.text):
        return None
    route, _, body = fence.text.partition("\n")
    return route.strip(), body


def curl_call(command: Command, variables: Mapping[str, str]) -> Call:
    """What a curl command sends, with its variables filled in; `$API_URL` is the API's address.

    Raises:
        ValueError: curl is given an option that is not read here.
    """
    words = [_VARIABLE.sub(lambda match: variables[match[1]], word) for word in command.words[1:]]
    given: dict[str, list[str]] = {option: [] for option in _CURL_OPTIONS}
    urls = []
    rest = iter(words)
    for word in rest:
        if word in given:
            given[word].append(next(rest))
        elif word.startswith("-"):
            raise ValueError(f"line {command.line}: {word}")
        else:
            urls.append(word)
    [url] = urls
    body = given["--json"][0] if given["--json"] else None
    assert url.startswith(variables["API_URL"]), url
    parts = urlsplit(url.removeprefix(variables["API_URL"]))
    headers = dict(header.split(": ", 1) for header in given["-H"])
    signature = (given["--aws-sigv4"] or [""])[0]
    method = (given["-X"] or ["POST" if body else "GET"])[0]
    return Call(method, f"{parts.path}{'?' * bool(parts.query)}{parts.query}", headers, body, signature)


def commands_in(text: str, line: int = 0) -> Iterator[Command]:
    """The commands of a block of shell that begins at this line."""
    for number, statement in _statements(text):
        if export := _EXPORT.fullmatch(statement):
            yield Command(line + number, ["export", export["name"]])
            statement = export["command"]
        words = shlex.split(statement, comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            yield _command(words[:end], line + number)
            words = words[end + 1 :]


def _command(words: Sequence[str], line: int) -> Command:
    environment = {}
    while words and _ASSIGNMENT.match(words[0]):
        name, _, environment[name] = words[0].partition("=")
        words = words[1:]
    end = words.index(">") if ">" in words else len(words)
    return Command(line, words[:end], environment)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Whole statements with the number of their first line: a quote or a backslash may continue a line."""
    statement, first = "", 0
    for number, line in enumerate(text.splitlines()):
        first = number if not statement else first
        statement = f"{statement}\n{line}" if statement else line
        if statement.endswith("\\"):
            statement = statement[:-1]
            continue
        try:
            words = shlex.split(statement, comments=True)
        except ValueError:
            continue  # an open quote
        if words:
            yield first, statement
        statement = ""
    assert not statement, f"open quote: {statement}"
