"""What a conversation-insight vendor's stand-in is: its declaration, the dials of all, its jobs and callbacks."""

import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.hearing.speech import UndecodableMedia, Utterance
from sandbox.stand_ins.runtime.calls import View
from sandbox.stand_ins.runtime.runtime import World

Route = tuple[str, str, View]
"""Method, path as Flask writes it, view."""

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class VendorDials:
    """The dials of every vendor; a vendor's own dataclass adds its own.

    `job_seconds`: shortest job. `job_never_ends`: stays unfinished. `job_fails`: ends in failure with this message.
    `unknown_state`: the word shown for the first `unknown_state_polls` polls of a job. `link_expired_next`: how many
    jobs to come find their link expired. `oversize_result`: the conversation repeated until it has so many
    utterances. `callback`: "once", "lost", "double", or "early", which is before the call that asked for the job is
    answered.
    """

    job_seconds: float = 0.0
    job_never_ends: bool = False
    job_fails: str | None = None
    unknown_state: str | None = None
    unknown_state_polls: int = 1
    link_expired_next: int = 0
    oversize_result: int = 0
    callback: str = "once"


@dataclass(frozen=True)
class Vendor:
    """A stand-in as its module declares it.

    `credentials` is what the vendor's secret holds (empty for a service of AWS). The rest names its calls, as dials
    and ledger do ("symbl.job"): `login` gives tokens, `prepares` come before the call that `buys`, `state` tells how
    a job is, `results` give what it found. `paid` is what the ledger counts as bought.
    """

    name: str
    credentials: Mapping[str, str]
    dials: type[VendorDials]
    blueprint: Callable[[World], Blueprint]
    buys: str
    paid: str
    login: str | None = None
    prepares: tuple[str, ...] = ()
    state: str | None = None
    results: tuple[str, ...] = ()


def vendor_blueprint(
    world: World, name: str, routes: Sequence[Route], unknown: Callable[[str], ResponseReturnValue]
) -> Blueprint:
    """A vendor's routes, each a call that is named after its view; `unknown` answers the rest."""
    blueprint = Blueprint(name, name)
    for method, path, view in routes:
        call = view.__name__
        blueprint.add_url_rule(path, call, world.calls.named(f"{name}.{call}")(view), methods=[method])
    blueprint.add_url_rule("/", "unknown", unknown, methods=_METHODS, defaults={"path": ""})
    blueprint.add_url_rule("/<path:path>", "unknown", unknown, methods=_METHODS)
    return blueprint


class JobFailed(Exception):
    """The job ends without a result: the vendor itself failed, its link had expired or gave nothing, or no media."""

    def __init__(self, message: str, cause: Literal["vendor", "link expired", "link", "media"] = "vendor") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause


def start_job(world: World, dials: VendorDials, name: str, work: Callable[[], None]) -> None:
    """Run `work` beside the call that asked for it; before its answer, with the dial for early callbacks."""
    if dials.job_never_ends:
        return
    if dials.callback == "early":
        work()
    else:
        world.jobs.start(name, work)


def hear(
    world: World,
    dials: VendorDials,
    source: str | Path,
    *,
    containers: Collection[str],
    speakers: int | None,
) -> list[Utterance]:
    """What is said in the media behind a link, or in a file: by `speakers` voices, or as many as there are (None).

    `containers` are the formats that the vendor takes, by FFmpeg's names. Lasts at least `job_seconds`.

    Raises:
        JobFailed: the dials say so, or the link gives nothing, or what it gives is no such media.
    """
    began = time.monotonic()
    try:
        if dials.job_fails is not None:
            raise JobFailed(dials.job_fails)
        if _use_up_expired_link(world, dials):
            raise JobFailed("the link has expired", "link expired")
        said = _listen(world, source, containers, speakers)
    except DownloadFailed as failed:
        raise JobFailed(str(failed), "link expired" if failed.forbidden else "link") from None
    except UndecodableMedia as undecodable:
        raise JobFailed(str(undecodable), "media") from None
    finally:
        world.jobs.sleep(began + dials.job_seconds - time.monotonic())
    return repeated(said, dials.oversize_result) if dials.oversize_result and said else said


def repeated(said: list[Utterance], least: int) -> list[Utterance]:
    """The conversation over and over, until it has `least` utterances."""
    length = said[-1].end_ms
    again = []
    for n in range(least):
        rounds, i = divmod(n, len(said))
        shift = rounds * length
        again.append(replace(said[i], start_ms=said[i].start_ms + shift, end_ms=said[i].end_ms + shift))
    return again


def call_back(
    world: World,
    dials: VendorDials,
    vendor: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    tries: int,
    gives_up_at_4xx: bool = False,
) -> None:
    """Call the customer's webhook until it answers 2xx, `tries` times at most; the ledger notes each try."""
    if dials.callback == "lost":
        return
    for _ in range(2 if dials.callback == "double" else 1):
        for attempt in range(tries):
            world.jobs.sleep(min(0.25 * attempt, 1.0))
            status = world.send(method, url, body, headers)
            world.ledger.add(f"{vendor}.callback", status)
            if 200 <= status < 300 or (gives_up_at_4xx and 400 <= status < 500):
                break


def _use_up_expired_link(world: World, dials: VendorDials) -> bool:
    left = world.dials.of(type(dials)).link_expired_next
    if left:
        world.dials.turn(type(dials), link_expired_next=left - 1)
    return left > 0


def _listen(world: World, source: str | Path, containers: Collection[str], speakers: int | None) -> list[Utterance]:
    if isinstance(source, Path):
        return world.engine.listen(source, speakers, containers)
    with tempfile.TemporaryDirectory(dir=world.scratch) as scratch:
        media = Path(scratch) / "media"
        world.download(source, media)
        return world.engine.listen(media, speakers, containers)
