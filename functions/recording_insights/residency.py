"""Residencies: the countries that the data of a stack must stay in, by the value of the setting `residency`.

A residency is here if the vendors of a stack document hosts in it. docs/decisions/providers.md says why there are two.
"""

from collections.abc import Mapping

RESIDENCIES: Mapping[str, frozenset[str]] = {
    # Without London and Zurich, which are in Europe, but not in the EU.
    "EU": frozenset({"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"}),
    "US": frozenset({"us-east-1", "us-east-2", "us-west-1", "us-west-2"}),
}
"""By residency: the AWS regions in it.

Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
"""
