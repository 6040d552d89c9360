"""Two media objects under a cap of one job a day: the second goes on after midnight, through the real state machine."""

from recording_insights.processing.caps import Caps
from recording_insights.store.job_counts import JobCountStore
from states import submit_recording
from tests.conformance.conftest import Travel
from tests.conformance.journey import Journey
from tests.conformance.test_counts import POLLED
from tests.conformance.test_turns import of_one_moment

DAY, HOUR = 86_400, 3600
TRANSITIONS_OF_A_LOOK, CALLS_OF_A_LOOK = 5, 2


def capped(journey: Journey, **caps: int) -> Journey:
    counts = JobCountStore(journey.table, journey.clock.now)
    vars(submit_recording.wiring)["caps"] = Caps(journey.store.recordings, counts, **caps)
    return journey


def test_what_is_over_the_days_cap_is_done_on_the_next_day(travel: Travel) -> None:
    free = of_one_moment(travel(POLLED), 2)
    journey = capped(travel(POLLED), most_jobs_per_day=1)

    counted = of_one_moment(journey, 2)

    assert journey.paid == 2
    assert DAY < journey.clock.elapsed < DAY + HOUR
    looks = (counted.transitions - free.transitions) / TRANSITIONS_OF_A_LOOK
    assert looks == (counted.calls - free.calls) / CALLS_OF_A_LOOK
    assert DAY / HOUR <= looks <= 1.5 * DAY / HOUR + 1
