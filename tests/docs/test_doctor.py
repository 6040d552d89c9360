"""The pages say of the doctor what its code does."""

import json

from operations.doctor.account import NEEDED
from operations.doctor.after_deploy import RIGHTS
from operations.doctor.examine import CHECKS
from tests.docs.pages import page

OF_A_KEY = {"kms:Decrypt"}
"""Needed with a key of the customer's only, which the page says in words."""


def test_the_policy_has_the_rights_of_all_checks() -> None:
    [text] = [fence.text for fence in page("docs/security.md").fences if fence.info[1:] == ("policy", "doctor")]
    statements = json.loads(text)["Statement"]
    allowed = [
        action
        for each in statements
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    ]
    needed = {right for check in CHECKS for right in check.rights} | {*RIGHTS}
    assert len(allowed) == len(set(allowed))
    assert set(allowed) == needed - OF_A_KEY


def test_the_quotas_are_those_of_the_table_for_10000_recordings_a_day() -> None:
    rows = [line.split("|") for line in page("docs/operate.md").lines if line.startswith("| Step Functions |")]
    table = {cells[2].strip(): int(cells[7].strip(" *").replace(",", "")) for cells in rows}
    assert {name: table[name] for name in NEEDED} == NEEDED
