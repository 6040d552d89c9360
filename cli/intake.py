"""The API of the stage as a backfill needs it: its refusals and pauses are told apart."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cli.errors import CommandFailed, Conflict, NotFound, NotReachable
from operations.backfill.intake import Away, Erased, Failing, Providers, Refused

if TYPE_CHECKING:
    from cli.api import Api

_PROBLEM = "urn:recording-insights:problem:"
PAUSED, ERASED, INTERNAL = f"{_PROBLEM}intake-paused", f"{_PROBLEM}recording-erased", f"{_PROBLEM}internal-error"


class ApiIntake:
    """Calls the API. See `operations.backfill.intake.Intake`."""

    def __init__(self, api: "Api") -> None:
        self._api = api

    def find(self, recording_id: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = _patient(lambda: self._api.call("GET", f"/recordings/{recording_id}"))
        except NotFound:
            return None
        except Conflict as conflict:
            raise Erased(str(conflict)) from None
        return found

    def take(self, key: str, provider: str | None) -> Mapping[str, Any]:
        body = {"key": key} if provider is None else {"key": key, "provider": provider}
        taken: Mapping[str, Any] = _admitted(lambda: self._api.call("POST", "/media", body))
        return taken

    def retry(self, recording_id: str, media_id: str, provider: str | None) -> None:
        body = {"media_id": media_id} if provider is None else {"media_id": media_id, "provider": provider}
        _admitted(lambda: self._api.call("POST", f"/recordings/{recording_id}/retry", body))

    def providers(self) -> Providers:
        return Providers.of(_patient(lambda: self._api.call("GET", "/providers")))


def _admitted(call: Callable[[], Any]) -> Any:
    try:
        return _patient(call)
    except (NotFound, Conflict) as refused:
        kind = Erased if refused.problem.get("type") == ERASED else Refused
        raise kind(str(refused.problem.get("detail") or refused)) from None
    except Away as away:
        if isinstance(away.why, CommandFailed) and away.why.problem.get("type") == INTERNAL:
            raise Failing(away.why) from None
        raise


def _patient(call: Callable[[], Any]) -> Any:
    """Return what the call returns; raises Away for a fault that passes by itself, or that an operator ends."""
    try:
        return call()
    except NotReachable as failure:
        raise Away(failure) from None
    except CommandFailed as failure:
        # Refusals of other kinds stay as they are: a right that is missing does not come by waiting.
        if type(failure) is not CommandFailed:
            raise
        raise Away(failure, is_paused=failure.problem.get("type") == PAUSED) from None
