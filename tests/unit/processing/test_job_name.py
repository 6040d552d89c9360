"""The name of a job: what it is made of, and where it is found again."""

import pytest

from recording_insights.processing.job_name import JobName

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
M = "ca603eb20b04ae283ee9"


@pytest.mark.parametrize("given_up", [0, 1, 12])
def test_each_job_of_a_media_object_has_a_name_that_leads_back_to_it(given_up: int) -> None:
    name = JobName.of({"recording_id": R, "media_id": M, "given_up": [{"reason": "x"}] * given_up})

    assert str(name) == f"{R}-{M}-{given_up}"
    assert JobName.read(str(name)) == name


@pytest.mark.parametrize("text", ["{}", "{}.json", "recording-insights-dev-{}", "deliveries-{}.json"])
def test_a_name_is_found_at_the_end_of_a_text(text: str) -> None:
    assert JobName.read(text.format(f"{R}-{M}-3")) == JobName(R, M, 3)


@pytest.mark.parametrize("text", ["", f"{R}-{M}", f"{R}-{M}-x", f"{R}-{M[1:]}-0", f"0{R}-{M}-0", f"{R}-{M}-0.json.bak"])
def test_other_texts_hold_no_name(text: str) -> None:
    assert JobName.read(text) is None
