"""A backfill from its order to its outcome: find what is new, say what it costs, ask, admit, follow."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from operations.backfill.estimate import Estimate, estimate
from operations.backfill.intake import Intake, Patience, Providers
from operations.backfill.plan import Plan, Planner, Recordings
from operations.backfill.run import Outcome, Run, codes_of
from operations.backfill.stored import RecordingsBucket, Stored
from operations.deployed_stack import OperationFailed, Report
from operations.workers import Workers


@dataclass(frozen=True)
class Order:
    """What is to be taken in: every object under `prefix`, or those of `keys`.

    `provider` gets all of it; None leaves that to the stage. `limit` bounds what is new, and `at_once` what is under
    way; None lets the providers' slots decide. Without `waits` nothing is followed.
    """

    prefix: str | None = None
    keys: Sequence[str] | None = None
    provider: str | None = None
    limit: int | None = None
    at_once: int | None = None
    retries_failed: bool = False
    waits: bool = True


@dataclass(frozen=True)
class Result:
    """`outcome` is None if nothing was done."""

    plan: Plan
    estimate: Estimate
    outcome: Outcome | None

    @property
    def data(self) -> dict[str, Any]:
        """The result as JSON: numbers, what failed, and what was left out."""
        estimated, outcome = self.estimate, self.outcome
        done = asdict(outcome) if outcome else {}
        done.pop("skipped", None)
        return {
            "dry_run": outcome is None,
            "seen": self.plan.seen,
            "is_whole": self.plan.is_whole,
            "new": estimated.number,
            "under_way_before": len(self.plan.under_way),
            "estimate": {
                "currency": "USD",
                "hours": round(estimated.hours, 4),
                "unknown_lengths": estimated.unknown_lengths,
                "providers": [asdict(share) for share in estimated.shares],
                "aws": estimated.aws,
            },
            **done,
            **({"failed_by_code": codes_of(outcome)} if outcome else {}),
            "skipped": [asdict(group) for group in self.plan.skipped.groups.values()],
        }


@dataclass(frozen=True)
class Backfill:
    """The collaborators of a backfill.

    `report` gets lines that stay, `show` those on how far it is. `confirm` is asked before something is paid for, and
    raises if the answer is no.
    """

    bucket: RecordingsBucket
    intake: Intake
    report: Report
    show: Report
    confirm: Callable[[str], None]
    workers: Workers = field(default_factory=Workers)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @property
    def patience(self) -> Patience:
        return Patience(self.sleep, self.report)

    def run(self, order: Order, *, dry_run: bool = False) -> Result:
        """Take in what the order names. With `dry_run`, only find what is new.

        Raises:
            OperationFailed: the stage does not have the provider.
            ClientError: S3 refuses a call.
            KeyboardInterrupt: somebody ended it. What is under way goes on.
            Exception: the API's own error if it refuses a call or stays away, or that of `confirm`.
        """
        providers = self.patience(self.intake.providers)
        plan = self._plan(order, providers)
        estimated = estimate(plan.new, providers.standings, at_once=order.at_once)
        if dry_run:
            return Result(plan, estimated, None)
        if plan.new:
            self.confirm(estimated.sentence)
        run = Run(
            self.intake,
            self.patience,
            self.clock,
            self.sleep,
            self.report,
            self.show,
            provider=order.provider,
            at_once=order.at_once,
        )
        return Result(plan, estimated, run.go(plan, waits=order.waits))

    def _plan(self, order: Order, providers: Providers) -> Plan:
        if order.provider is not None and order.provider not in providers.standings:
            names = ", ".join(providers.standings)
            raise OperationFailed(f"The stage has no provider {order.provider}: it has {names}.")
        planner = Planner(
            self.bucket.name,
            Recordings(self.intake, self.patience, self.workers, self.show),
            self.bucket.duration_ms,
            providers,
            provider=order.provider,
            retries_failed=order.retries_failed,
        )
        return planner.make(self._files(order, planner.plan), limit=order.limit)

    def _files(self, order: Order, plan: Plan) -> Iterable[Stored]:
        if order.keys is None:
            return self.bucket.list(order.prefix or "")
        return self._named(order.keys, plan)

    def _named(self, keys: Sequence[str], plan: Plan) -> Iterator[Stored]:
        for key, file in zip(keys, self.workers.each(self.bucket.find, keys), strict=True):
            if file is None:
                plan.skipped.add("gone", "the bucket has no such object", key)
            else:
                yield file
