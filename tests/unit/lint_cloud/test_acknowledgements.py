"""A finding passes only with a reason, and a reason that nothing needs is found."""

from pathlib import Path

import pytest

from lint_cloud.acknowledgements import Acknowledgement, Finding, open_findings, read_acknowledgements, unused
from lint_cloud.linters import LINTERS

FINDING = Finding("checkov", "CKV_AWS_18", "plain", "AWS::S3::Bucket.Recordings1", "no access log")
ENTRY = Acknowledgement("checkov", "CKV_AWS_18", "AWS::S3::Bucket.Recordings*", "events are its log")


@pytest.mark.parametrize(
    "entry",
    [
        Acknowledgement("cfn-lint", ENTRY.rule, ENTRY.resource, "another tool"),
        Acknowledgement(ENTRY.tool, "CKV_AWS_1", ENTRY.resource, "another rule"),
        Acknowledgement(ENTRY.tool, ENTRY.rule, "AWS::S3::Bucket.Replies*", "another resource"),
        Acknowledgement(ENTRY.tool, ENTRY.rule, "aws::s3::bucket.*", "another case"),
    ],
    ids=lambda entry: entry.reason,
)
def test_an_entry_for_something_else_covers_nothing_and_is_unused(entry: Acknowledgement) -> None:
    assert open_findings([FINDING], [entry]) == [FINDING]
    assert unused([FINDING], [entry], [entry.tool]) == [entry]


def test_a_covered_finding_passes_and_its_entry_is_used() -> None:
    assert open_findings([FINDING], [ENTRY]) == []
    assert unused([FINDING], [ENTRY], ["checkov"]) == []


def test_an_entry_of_a_tool_that_did_not_run_is_not_unused() -> None:
    assert unused([], [ENTRY], ["cfn-lint"]) == []


def test_an_entry_needs_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "acknowledged.toml"
    file.write_text('[[acknowledged]]\ntool = "checkov"\nrule = "CKV_AWS_18"\nresource = "*"\nreason = ""\n')
    with pytest.raises(ValueError, match="needs a reason"):
        read_acknowledgements(file)


def test_entries_name_tools_that_run_and_no_place_twice() -> None:
    entries = read_acknowledgements()
    assert {entry.tool for entry in entries} <= set(LINTERS)
    assert len({(entry.tool, entry.rule, entry.resource) for entry in entries}) == len(entries)
