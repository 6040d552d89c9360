"""The order in which Agora's hosts are called, when one does not answer.

Sources: https://docs.agora.io/en/cloud-recording/develop/integration-best-practices and, for the regional hosts,
https://docs.agora.io/en/interactive-live-streaming/channel-management-api/best-practices/ensure-service-reliability
"""

from collections.abc import Mapping, Sequence

WORLDWIDE, IN_CHINA = "agora.io", "sd-rtn.com"
"""Both answer everywhere. Outside China the first is the primary and the second the alternate; inside, vice versa."""

REGIONAL: Mapping[str, str] = {
    **dict.fromkeys(("us-east-1", "us-east-2", "ca-central-1", "sa-east-1"), "us-west-1"),
    **dict.fromkeys(("us-west-1", "us-west-2"), "us-east-1"),
    **dict.fromkeys(("eu-west-1", "eu-west-2", "eu-west-3", "af-south-1"), "eu-central-1"),
    **dict.fromkeys(("eu-central-1", "eu-north-1", "eu-south-1", "me-south-1"), "eu-west-1"),
    **dict.fromkeys(
        ("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-south-1", "ap-east-1"), "ap-northeast-1"
    ),
    **dict.fromkeys(("ap-northeast-1", "ap-northeast-2", "ap-northeast-3"), "ap-southeast-1"),
    **dict.fromkeys(("cn-north-1", "cn-northwest-1"), "cn-east-1"),
}
"""By AWS region: Agora's second nearest region. DNS already leads to the nearest one."""

CONFINED: Mapping[str, Sequence[str]] = {"EU": ("eu-west-1", "eu-central-1"), "US": ("us-east-1", "us-west-1")}
"""By residency: Agora's regions in it. The hosts without a region lead to the nearest one, wherever it is."""

HOST_WAITS = (1.0, 3.0, 6.0)
"""Seconds before the second attempt at the same host, the alternate host and the regional host, as Agora advises."""


def hosts_near(aws_region: str) -> Sequence[str]:
    """Return Agora's hosts for a caller in this AWS region, as `https://host`, in the order of calling."""
    primary, alternate = (IN_CHINA, WORLDWIDE) if aws_region.startswith("cn-") else (WORLDWIDE, IN_CHINA)
    regional = [f"api-{REGIONAL[aws_region]}.{primary}"] if aws_region in REGIONAL else []
    return [f"https://{name}" for name in (f"api.{primary}", f"api.{alternate}", *regional)]


def hosts_in(residency: str, aws_region: str) -> Sequence[str]:
    """Return Agora's hosts in a residency, as `https://host`, those of the region nearest to the caller first."""
    regions = sorted(CONFINED[residency], key=lambda region: region == REGIONAL.get(aws_region))
    return [f"https://api-{region}.{name}" for region in regions for name in (WORLDWIDE, IN_CHINA)]


class HostRotation:
    """The host to call now. It changes when a host does not answer, and stays while a host answers.

    The order is: the present host, the same host again, then the others, then all over. Failures count over several
    calls.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts
        self._order = _order(hosts[0], hosts)
        self._failures = 0

    @property
    def host(self) -> str:
        """Scheme and host to call now."""
        return self._order[self._failures % len(self._order)]

    @property
    def waits(self) -> Sequence[float] | None:
        """Seconds before each attempt after a host did not answer; None if there is only one host."""
        return HOST_WAITS if len(self._hosts) > 1 else None

    def answered(self) -> None:
        """Note that the present host answered: it comes first from now on."""
        self._order = _order(self.host, self._hosts)
        self._failures = 0

    def did_not_answer(self) -> None:
        """Note that the present host did not answer."""
        self._failures += 1


def _order(first: str, hosts: Sequence[str]) -> Sequence[str]:
    return [first, first, *(host for host in hosts if host != first)]
