"""Quotas of the account that the stage needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, unknown, wrong
from operations.doctor.patient import Patient, command

FEWEST_WORKERS, USUAL_WORKERS = 100, 1000
"""A new account may have 10: one meeting would take them all. AWS's default is 1,000."""
NEEDED = {"Open executions": 2_813, "StartExecution throttle token refill rate": 9}
"""What 10,000 recordings a day need of Step Functions: docs/operate.md, "Quotas to raise before going live"."""
MOST_LOG_POLICIES = 10
DELIVERY_POLICY = "AWSLogDeliveryWrite20150319"
"""The policy that AWS makes for log deliveries.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
"""


@check("concurrency", "lambda:GetAccountSettings")
def concurrency(patient: Patient) -> Iterator[Symptom]:
    """The account has enough workers of Lambda, and not all of them are reserved for others."""
    if patient.is_local:
        yield ok("The local cloud has no quota of workers.")
        return
    limit = patient.aws("lambda").get_account_settings()["AccountLimit"]
    workers, left = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    if workers < FEWEST_WORKERS:
        yield wrong(
            f"Lambda runs {workers} functions at once in this account: a meeting can fill it, and the API is down.",
            _request("lambda", "L-B99A9384", USUAL_WORKERS),
        )
    elif left < FEWEST_WORKERS:
        yield wrong(
            f"Of {workers} functions that Lambda runs at once, {left} are not reserved for certain functions.",
            _request("lambda", "L-B99A9384", max(USUAL_WORKERS, 2 * workers)),
        )
    else:
        yield ok(f"Lambda runs {workers} functions at once, and {left} of them are not reserved.")


def _request(service: str, quota: str, value: int) -> str:
    what = ("--service-code", service, "--quota-code", quota, "--desired-value", str(value))
    return command("aws", "service-quotas", "request-service-quota-increase", *what)


@check("step functions", "servicequotas:ListServiceQuotas", "servicequotas:ListAWSDefaultServiceQuotas")
def step_functions(patient: Patient) -> Iterator[Symptom]:
    """The quotas of Step Functions are enough for 10,000 recordings a day."""
    if patient.is_local:
        yield ok("The local cloud has no quotas of Step Functions.")
        return
    quotas = {each["QuotaName"]: each for each in _quotas(patient)}
    for name, needed in NEEDED.items():
        quota = quotas.get(name)
        if quota is None:
            yield unknown(
                f"Service Quotas does not name the quota {name!r}.", "Look it up in the console of Step Functions."
            )
        elif quota["Value"] < needed:
            yield wrong(
                f"The quota {name!r} is {quota['Value']:g}; 10,000 recordings a day need {needed}.",
                _request("states", quota["QuotaCode"], needed),
            )
        else:
            yield ok(f"The quota {name!r} is {quota['Value']:g}.")


def _quotas(patient: Patient) -> Iterator[Mapping[str, Any]]:
    """Yield AWS's defaults, and then the quotas that differ from them in this account."""
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in patient.aws("service-quotas").get_paginator(operation).paginate(ServiceCode="states"):
            yield from page["Quotas"]


@check("log policies", "logs:DescribeResourcePolicies")
def log_policies(patient: Patient) -> Iterator[Symptom]:
    """Log deliveries have a place among the policies for logs, of which an account may have ten in a region."""
    policies = _log_policies(patient)
    has_delivery = any(each["policyName"] == DELIVERY_POLICY for each in policies)
    if len(policies) >= MOST_LOG_POLICIES and not has_delivery:
        yield wrong(
            f"The account has {len(policies)} policies for logs, and none for log deliveries: "
            "the access log and the logs of the state machines may stay empty.",
            "Delete a policy that no service uses; `aws logs describe-resource-policies` lists them.",
        )
    else:
        yield ok(f"The account has {len(policies)} of at most {MOST_LOG_POLICIES} policies for logs.")


def _log_policies(patient: Patient) -> Sequence[Mapping[str, Any]]:
    """Return the account's policies. Those of single log groups have limits of their own."""
    pages = patient.aws("logs").get_paginator("describe_resource_policies").paginate()
    found = [each for page in pages for each in page.get("resourcePolicies", ())]
    return [each for each in found if each.get("policyScope", "ACCOUNT") == "ACCOUNT"]
