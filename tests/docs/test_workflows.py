"""The configuration of editors, of pre-commit and of GitHub's workflows fits the project."""

import configparser
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from dependencies.audit import NPM_LOCKS
from dependencies.locks import LOCKS
from tests.docs.commands import Command, commands_in
from tests.docs.pages import PROJECT, page
from tests.docs.test_commands import check_make
from tests.docs.test_form import LONGEST_LINE

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").iterdir())
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
"""A commit, because a tag can be moved, and the version that it has."""
DEPLOY = page("docs/deploy.md")
[WORKFLOW_OF_PAGE] = [fence.text for fence in DEPLOY.fences if fence.info == ("yaml", "workflow")]
every_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)


def steps_of(file: Path) -> list[dict[str, Any]]:
    """The steps of all jobs of a workflow."""
    workflow = yaml.safe_load(file.read_text())
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@every_workflow
def test_workflows_run_targets_of_the_makefile(file: Path) -> None:
    commands = [shlex.split(step["run"]) for step in steps_of(file) if "run" in step]
    assert commands
    for words in commands:
        assert words[0] == "make"
        check_make(Command(0, words))


@every_workflow
def test_actions_are_pinned(file: Path) -> None:
    used = re.findall(r"uses: (.+)", file.read_text())
    assert len(used) == sum("uses" in step for step in steps_of(file))
    assert [action for action in used if not PINNED.fullmatch(action)] == []


@every_workflow
def test_a_workflow_may_only_read_and_has_an_end(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())


def test_the_workflow_of_the_page_deploys_a_tag_and_shows_the_changes_of_a_pull_request() -> None:
    workflow = yaml.safe_load(WORKFLOW_OF_PAGE)
    assert (workflow[True].keys(), workflow["permissions"]) == ({"pull_request", "push"}, {"contents": "read"})
    runs = {
        name: [command.words[1:] for step in job["steps"] if "run" in step for command in commands_in(step["run"])]
        for name, job in workflow["jobs"].items()
    }
    assert {name: commands[-1] for name, commands in runs.items()} == {
        "diff": ["diff", "STAGE=prod"],
        "deploy": ["deploy", "STAGE=prod"],
    }
    for words in [words for commands in runs.values() for words in commands]:
        check_make(Command(0, ["make", *words]))
    used = re.findall(r"uses: (.+)", WORKFLOW_OF_PAGE)
    assert [action for action in used if not PINNED.fullmatch(action)] == []
    ours = {
        action for file in WORKFLOWS for action in re.findall(r"uses: (actions/(?:checkout|setup).+)", file.read_text())
    }
    assert ours <= set(used), "the versions of our own workflows"


def test_each_job_of_the_page_has_the_role_of_its_environment_only() -> None:
    jobs = yaml.safe_load(WORKFLOW_OF_PAGE)["jobs"]
    [trust] = [json.loads(fence.text) for fence in DEPLOY.fences if fence.info[1:2] == ("trust",)]
    [statement] = trust["Statement"]
    issuer = statement["Principal"]["Federated"].partition(":oidc-provider/")[2]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": f"repo:example/recording-insights:environment:{jobs['deploy']['environment']}",
        }
    }
    roles = {
        name: [step["with"]["role-to-assume"] for step in job["steps"] if "role-to-assume" in step.get("with", {})]
        for name, job in jobs.items()
    }
    assert len({role for [role] in roles.values()}) == len(jobs)
    assert len({job["environment"] for job in jobs.values()}) == len(jobs)
    assert {name for name, job in jobs.items() if job["permissions"]["id-token"] == "write"} == jobs.keys()


def test_pushes_run_make_test_and_nights_make_test_all() -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "test.yml").read_text())
    # YAML 1.1 reads the key `on` as a boolean.
    assert workflow[True].keys() == {"push", "pull_request", "schedule", "workflow_dispatch"}
    targets = {
        name: [step["run"].split()[-1] for step in job["steps"] if "run" in step]
        for name, job in workflow["jobs"].items()
    }
    assert targets == {"test": ["test"], "test-all": ["test-all", "lint-cloud", "audit"]}


def test_pre_commit_runs_the_pinned_tools() -> None:
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    assert [hook["entry"].split()[:2] for hook in hooks] == [[".venv/bin/ruff", "format"], [".venv/bin/ruff", "check"]]


def test_editors_know_the_length_of_a_line() -> None:
    config = configparser.ConfigParser()
    config.read_string("[top]\n" + (PROJECT / ".editorconfig").read_text())
    ruff = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["ruff"]
    assert config["*.py"].getint("max_line_length") == ruff["line-length"]
    assert config["*.md"].getint("max_line_length") == LONGEST_LINE


def test_dependabot_looks_at_every_folder_with_a_lock() -> None:
    """The root includes the folders below it. The oldest boto3 of Lambda is not to be raised."""
    config = yaml.safe_load((PROJECT / ".github" / "dependabot.yml").read_text())
    folders = {update["package-ecosystem"]: update.get("directories", ["/"]) for update in config["updates"]}
    deep = {str(Path(lock.file).parent) for lock in LOCKS if lock.file.count("/") > 1}
    assert set(folders["pip"]) == {"/", *(f"/{folder}" for folder in deep - {"tests/unit"})}
    assert {f"{folder.strip('/')}/package-lock.json".strip("/") for folder in folders["npm"]} == set(NPM_LOCKS)
    assert folders["github-actions"] == ["/"]
