"""The runbook: a section for each reason code, quotas and costs as they are computed, and commands that work."""

import re
from itertools import pairwise
from typing import Any

import pytest

from infra.api import API_THROTTLE
from infra.arrival import AT_ONCE
from infra.buckets import OLD_VERSIONS
from operations.dead_letters import QUEUES
from operations.waits import BY_CODE, STATES
from recording_insights.aws.secrets import CACHE_SECONDS
from recording_insights.model.prices import PROVIDERS
from recording_insights.model.reasons import INSIGHT_REASONS, REASONS
from recording_insights.processing.report_fault import LONGEST_WAIT, PASSING
from recording_insights.processing.turns import LONGEST_PROBE_SECONDS
from tests.docs.pages import codes_in, page
from tests.docs.typical import DAYS, MONTHS, QUOTAS, capacity_row, month, provider_month

PAGE = page("docs/operate.md")
ALL_REASONS = {**REASONS, **INSIGHT_REASONS}
ROLES = ("operator", "integrator", "vendor's support", "Agora's support", "AWS support")
BULLETS = ("* **First look** at ", "* **Mend:** ", "* **Escalate** to ")


def sections() -> dict[str, str]:
    """The text of each section of a reason code, a bullet on one line."""
    lines = PAGE.section("## Reason codes")
    heads = [number for number, line in enumerate(lines) if line.startswith("### ")]
    ends = pairwise([*heads, len(lines)])
    texts = {codes_in(lines[begin])[0]: "\n".join(lines[begin + 1 : end]) for begin, end in ends}
    return {code: re.sub(r"\n(?=[^\n*])\s*(?! )", " ", text.strip()) for code, text in texts.items()}


def test_every_code_has_a_section_and_none_is_too_many() -> None:
    assert list(sections()) == list(ALL_REASONS)


@pytest.mark.parametrize("code", ALL_REASONS)
def test_a_section_says_what_it_means_where_to_look_what_mends_it_and_whom_to_ask(code: str) -> None:
    first, *bullets = [line for line in sections()[code].splitlines() if line.strip()]
    assert re.fullmatch(
        re.escape(ALL_REASONS[code].meaning) + r" \*\*(Waits|Failed|Watched|Ended)[^*]*\.\*\*", first.strip()
    )
    assert [bullet.startswith(begin) for bullet, begin in zip(bullets, BULLETS, strict=True)] == [True] * len(BULLETS)
    assert any(role in bullets[2] for role in ROLES)


def test_what_waits_is_what_the_lifecycle_says() -> None:
    waiting = {code for code, text in sections().items() if "**Waits" in text}
    table = page("docs/recording-lifecycle.md").table("## While a media object waits")
    # A submission waits for its callback by itself.
    assert waiting - {"submission_unconfirmed"} == {code for row in table for code in codes_in(row[0])}
    assert waiting >= PASSING
    limits = {code: row[2] for row in table for code in codes_in(row[0]) if "giveUpHours" in row[2]}
    assert [code for code, limit in limits.items() if limit not in sections()[code]] == []


def test_a_retry_is_offered_where_it_may_help() -> None:
    offered = {code for code, text in sections().items() if "#retry-what-failed" in text}
    assert [code for code in offered if ALL_REASONS[code].retry == "no"] == []


def test_the_page_has_the_needs_of_many_recordings() -> None:
    heading = "## Quotas to raise before going live"
    assert PAGE.table(heading) == [capacity_row(quota) for quota in QUOTAS]
    assert " | ".join(f"{day:,} a day" for day in DAYS) in "\n".join(PAGE.section(heading))


def test_the_page_has_the_cost_of_a_month() -> None:
    months = [list(month(number)) for number in MONTHS]
    rows = [[lines[0][0], *(f"{dollars:,.2f}" for _, dollars in lines)] for lines in zip(*months, strict=True)]
    rows.append(["**AWS, all**", *(f"**{sum(dollars for _, dollars in lines):,.2f}**" for lines in months)])
    heading = "## Cost of a month"
    assert PAGE.table(heading) == rows
    priced = sorted(name for name, price in PROVIDERS.items() if price)
    providers = [[f"`{name}`", *(f"{provider_month(name, number):,.2f}" for number in MONTHS)] for name in priced]
    assert PAGE.table(heading, number=1) == providers


def test_every_secret_is_rotated() -> None:
    named = {
        codes_in(row[0])[0].rpartition("/")[2] for row in page("docs/deploy.md").table("## 2. Store the credentials")
    }
    rotated = {code for row in PAGE.table("## Rotate the secrets") for code in codes_in(row[0])}
    assert rotated == named


def test_numbers_in_the_text_are_those_of_the_code(template: dict[str, Any]) -> None:
    text = " ".join(PAGE.path.read_text().split())
    assert LONGEST_PROBE_SECONDS == LONGEST_WAIT == 15 * 60
    assert "goes on by itself within 15 minutes" in text
    assert CACHE_SECONDS == 5 * 60
    assert "a secret for five minutes" in text
    assert f"old versions of objects for {OLD_VERSIONS.to_days():.0f} days" in text
    assert (
        f"{API_THROTTLE.rate_limit} requests a second for each route, with bursts of {API_THROTTLE.burst_limit}" in text
    )
    assert f"{AT_ONCE} batches of ten messages" in text
    [table] = [
        each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::DynamoDB::GlobalTable"
    ]
    assert table["TimeToLiveSpecification"]["AttributeName"] == "expires_at"
    assert table["Replicas"][0]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_each_queue_of_dead_letters_is_an_output_and_has_its_section(outputs: list[str]) -> None:
    of_a_model = ["UnderivedArn", "TranscriptsArn"]
    assert {name for queue in QUEUES for name in (queue.output, queue.back_to) if name} <= {*outputs, *of_a_model}
    for queue in QUEUES:
        name, _, anchor = queue.section.partition("#")
        assert anchor in page(f"docs/{name}").anchors, queue.name


def test_the_command_why_says_what_the_page_says() -> None:
    """A recorder that has left has ended, but its files may come."""
    waiting = {code for code, wait in BY_CODE.items() if not wait.is_over}
    said = {code for code, text in sections().items() if re.search(r"\*\*(Waits|Watched)", text)}
    assert waiting == said | {"recorder_left"}
    bounded = {code: wait.limit for code, wait in BY_CODE.items() if wait.limit and code in said}
    del bounded["submission_unconfirmed"]  # it waits for a callback as long as a job may take
    assert [code for code, limit in bounded.items() if f"`{limit}`" not in sections()[code]] == []


def test_the_command_why_knows_each_state_in_which_an_execution_may_be(machines: list[dict[str, Any]]) -> None:
    found = [{name for name, state in each["States"].items() if state["Type"] in ("Task", "Wait")} for each in machines]
    known = [{*states} for states in STATES.values()]
    of_retries = {"Retry page", "Wait", "Wait after unknown outcome"}
    assert [states for states in found if states != of_retries and states not in known] == []
