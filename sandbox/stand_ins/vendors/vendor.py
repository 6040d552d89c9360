"""What a vendor's stand-in declares, and what all vendors share: dials, jobs, recognition, callbacks."""

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.hearing.speech import UndecodableMedia, Utterance
from sandbox.stand_ins.runtime.calls import View
from sandbox.stand_ins.runtime.runtime import Runtime

Route = tuple[str, str, View]
"""Method, path in Flask's notation, view."""

LONGEST_LOOK_SECONDS = 20.0
"""The longest wait of a look with the dial `look_waits`."""

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class VendorDials:
    """The dials of every vendor. A vendor's own dataclass adds more.

    `job_seconds`: shortest duration of a job. `job_never_ends`: jobs stay unfinished. `job_fails`: jobs fail with this
    message. `unknown_state`: the state that the first `unknown_state_polls` polls of a job return.
    `link_expired_next`: number of next jobs whose link has expired. `own_fault_next`: number of next jobs that fail by
    a fault of the vendor's own. `oversize_result`: the conversation is repeated until it has this many utterances.
    `callback`: "once", "lost", "double", or "early", which is before the call that starts the job is answered.
    `look_waits`: a call for the state or the results of a job is answered when the work of the vendor's jobs that were
    started before it is over, or after 20 seconds.
    """

    job_seconds: float = 0.0
    job_never_ends: bool = False
    job_fails: str | None = None
    unknown_state: str | None = None
    unknown_state_polls: int = 1
    link_expired_next: int = 0
    own_fault_next: int = 0
    oversize_result: int = 0
    callback: str = "once"
    look_waits: bool = False


@dataclass(frozen=True)
class Vendor:
    """A stand-in, as its `server` module declares it.

    `credentials` is the content of the vendor's secret, empty for a service of AWS. `webhook_secret` is the content of
    the secret that its callbacks are signed with, empty if they are not. The other fields name calls, as dials and
    ledger do ("symbl.job"): `login` returns tokens, `submits` starts a paid job, `prepares` come before it, `state`
    returns the state of a job, `results` return its results. `paid` is the ledger's name of a paid job. `own_fault` are
    the words for a fault of the vendor's own that failed a job, None if no source shows any.
    """

    name: str
    credentials: Mapping[str, str]
    dials: type[VendorDials]
    blueprint: Callable[[Runtime], Blueprint]
    submits: str
    paid: str
    login: str | None = None
    prepares: tuple[str, ...] = ()
    state: str | None = None
    results: tuple[str, ...] = ()
    own_fault: str | None = None
    webhook_secret: Mapping[str, str] = field(default_factory=dict)

    def wait_at_looks(self, runtime: Runtime) -> None:
        """Let the calls for states and results wait for the vendor's jobs, if the dial `look_waits` says so."""

        def wait() -> None:
            if runtime.dials.of(self.dials).look_waits:
                runtime.jobs.wait_for_work(f"{self.name} ", LONGEST_LOOK_SECONDS)

        for call in {*self.results, *([self.state] if self.state else [])}:
            runtime.calls.before(call, wait)


def vendor_blueprint(
    runtime: Runtime, name: str, routes: Sequence[Route], unknown: Callable[[str], ResponseReturnValue]
) -> Blueprint:
    """Create the blueprint of a vendor. Each call is named after its view; `unknown` answers all other paths."""
    blueprint = Blueprint(name, name)
    for method, path, view in routes:
        call = view.__name__
        blueprint.add_url_rule(path, call, runtime.calls.named(f"{name}.{call}")(view), methods=[method])
    blueprint.add_url_rule("/", "unknown", unknown, methods=_METHODS, defaults={"path": ""})
    blueprint.add_url_rule("/<path:path>", "unknown", unknown, methods=_METHODS)
    return blueprint


class JobFailed(Exception):
    """The job has no result.

    The vendor failed for a reason that it does not explain or by a fault that it calls its own, the link had expired or
    did not work, or the media is unusable.
    """

    def __init__(
        self, message: str, cause: Literal["vendor", "own fault", "link expired", "link", "media"] = "vendor"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause


def start_job(runtime: Runtime, dials: VendorDials, name: str, work: Callable[[], None]) -> None:
    """Run `work` in the background; with the dial for early callbacks before the call is answered.

    `name` begins with the vendor's name and a space.
    """
    if dials.job_never_ends:
        return
    if dials.callback == "early":
        work()
    else:
        runtime.jobs.start(name, work)


def recognise(
    runtime: Runtime,
    dials: VendorDials,
    source: str | Path,
    *,
    containers: Collection[str],
    speakers: int | None,
) -> list[Utterance]:
    """Return the speech in the media behind a link, or in a file, of `speakers` voices (None: find how many).

    `containers` are the formats that the vendor accepts, by FFmpeg's names. Takes at least `job_seconds`.

    Raises:
        JobFailed: the dials say so, the download fails, or the media has another format or no audio.
    """
    began = runtime.monotonic()
    try:
        if dials.job_fails is not None:
            raise JobFailed(dials.job_fails)
        if _use_up(runtime, dials, "own_fault_next"):
            raise JobFailed("the vendor's own server failed", "own fault")
        if _use_up(runtime, dials, "link_expired_next"):
            raise JobFailed("the link has expired", "link expired")
        said = _recognise(runtime, source, containers, speakers)
    except DownloadFailed as failed:
        raise JobFailed(str(failed), "link expired" if failed.forbidden else "link") from None
    except UndecodableMedia as undecodable:
        raise JobFailed(str(undecodable), "media") from None
    finally:
        runtime.jobs.sleep(began + dials.job_seconds - runtime.monotonic())
    return repeated(said, dials.oversize_result) if dials.oversize_result and said else said


def repeated(said: list[Utterance], least: int) -> list[Utterance]:
    """Repeat the conversation until it has `least` utterances."""
    length = said[-1].end_ms
    again = []
    for n in range(least):
        rounds, i = divmod(n, len(said))
        shift = rounds * length
        again.append(replace(said[i], start_ms=said[i].start_ms + shift, end_ms=said[i].end_ms + shift))
    return again


def call_back(
    runtime: Runtime,
    dials: VendorDials,
    vendor: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    tries: int,
    gives_up_at_4xx: bool = False,
    after_seconds: float = 0.0,
    is_last: bool = True,
) -> None:
    """Call the customer's webhook until it answers 2xx, at most `tries` times. The ledger lists each try.

    `is_last`: the job has its result, so that its work is over.
    """
    if is_last:
        runtime.jobs.work_is_over()
    if dials.callback == "lost":
        return
    runtime.jobs.sleep(after_seconds)
    for _ in range(2 if dials.callback == "double" else 1):
        for attempt in range(tries):
            runtime.jobs.sleep(min(0.25 * attempt, 1.0))
            status = runtime.send(method, url, body, headers)
            runtime.ledger.add(f"{vendor}.callback", status)
            if 200 <= status < 300 or (gives_up_at_4xx and 400 <= status < 500):
                break


def _use_up(runtime: Runtime, dials: VendorDials, dial: Literal["own_fault_next", "link_expired_next"]) -> bool:
    left: int = getattr(runtime.dials.of(type(dials)), dial)
    if left:
        runtime.dials.turn(type(dials), **{dial: left - 1})
    return left > 0


def _recognise(
    runtime: Runtime, source: str | Path, containers: Collection[str], speakers: int | None
) -> list[Utterance]:
    if isinstance(source, Path):
        return runtime.engine.recognise(source, speakers, containers)
    with tempfile.TemporaryDirectory(dir=runtime.scratch) as scratch:
        media = Path(scratch) / "media"
        runtime.download(source, media)
        return runtime.engine.recognise(media, speakers, containers)
