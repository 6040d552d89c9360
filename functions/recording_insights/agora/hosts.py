"""Which of Agora's hosts is asked, and which next when it keeps silent.

Sources: https://docs.agora.io/en/cloud-recording/develop/integration-best-practices and, for the regional hosts,
https://docs.agora.io/en/interactive-live-streaming/channel-management-api/best-practices/ensure-service-reliability
"""

from collections.abc import Mapping, Sequence

WORLDWIDE, IN_CHINA = "agora.io", "sd-rtn.com"
"""Both answer everywhere; each is the better one on its side of the border, and the alternate on the other."""

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
"""By AWS region and by geography, Agora's second nearest region: the nearest is where DNS leads already."""

HOST_WAITS = (1.0, 3.0, 6.0)
"""Seconds before the same host once more, the alternate, the regional one, as Agora advises."""


def hosts_near(aws_region: str) -> Sequence[str]:
    """Agora's hosts for a server in this AWS region, the first one first; scheme and host."""
    primary, alternate = (IN_CHINA, WORLDWIDE) if aws_region.startswith("cn-") else (WORLDWIDE, IN_CHINA)
    regional = [f"api-{REGIONAL[aws_region]}.{primary}"] if aws_region in REGIONAL else []
    return [f"https://{name}" for name in (f"api.{primary}", f"api.{alternate}", *regional)]


class HostLadder:
    """Leads from a host that keeps silent to the next, over as many calls as it takes; stays with one that answers."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts
        self._rungs = _rungs(hosts[0], hosts)
        self._silences = 0

    @property
    def host(self) -> str:
        """Whom to ask now: the same once more after one silence, then the others in their order, then all over."""
        return self._rungs[self._silences % len(self._rungs)]

    @property
    def waits(self) -> Sequence[float] | None:
        """Before each try after a silence, in seconds; None if there is no other host to go to."""
        return HOST_WAITS if len(self._hosts) > 1 else None

    def answered(self) -> None:
        """The present host did: it is the one to ask first from now on."""
        self._rungs = _rungs(self.host, self._hosts)
        self._silences = 0

    def kept_silent(self) -> None:
        """The present host did."""
        self._silences += 1


def _rungs(first: str, hosts: Sequence[str]) -> Sequence[str]:
    return [first, first, *(host for host in hosts if host != first)]
