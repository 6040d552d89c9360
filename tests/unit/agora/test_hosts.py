"""Which of Agora's hosts is called when one does not answer."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from recording_insights.agora.calls import CONNECT_SECONDS, AgoraCalls
from recording_insights.agora.client import AgoraClient
from recording_insights.agora.hosts import CONFINED, REGIONAL, HostRotation, hosts_near
from recording_insights.agora.recorder import Recorder
from recording_insights.agora.storage import REGIONS, area_of
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.errors import AgoraOutcomeUnknown, AgoraUnavailable
from recording_insights.residency import RESIDENCIES
from recording_insights.settings import AgoraSettings
from tests.unit.agora.fake_agora import HOST, SECRET, Answer, FakeAgora, Lost
from tests.unit.environment import ENVIRONMENT
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import order
from wiring import agora_client

PREFIX = ("recordings", "0" * 32)
WORLDWIDE, IN_CHINA = "https://api.agora.io", "https://api.sd-rtn.com"
NEXT_REGION = "https://api-us-east-1.agora.io"
GATEWAY_DOWN = Answer(502, "<html>bad gateway</html>")


@dataclass
class Net:
    """Several names of one Agora, some of which cannot be reached; a try at these costs what a connection may."""

    agora: FakeAgora
    clock: FakeClock
    dead: Collection[str] = ()
    called: list[tuple[str, str]] = field(default_factory=list)

    def request(self, method: str, url: str, *, timeout: tuple[float, float], **arguments: Any) -> requests.Response:
        host = f"https://{urlsplit(url).netloc}"
        self.called.append((host, url.rpartition("/")[2]))
        if host in self.dead:
            self.clock.elapsed += timeout[0]
            raise requests.ConnectTimeout(url)
        return self.agora.request(method, HOST + url.removeprefix(host), timeout=timeout, **arguments)

    @property
    def hosts(self) -> list[str]:
        return [host for host, _ in self.called]


@pytest.fixture
def net(vendor: FakeAgora, clock: FakeClock) -> Net:
    return Net(vendor, clock)


@pytest.fixture
def client(net: Any, uploader: Uploader) -> AgoraClient:
    return AgoraClient(
        AgoraCalls(lambda fresh: SECRET, HostRotation(hosts_near("us-west-2")), net, jitter=lambda: 0.0), uploader
    )


def test_the_same_host_once_more_then_the_alternate_then_the_regional_one(
    client: AgoraClient, net: Net, clock: FakeClock, vendor: FakeAgora
) -> None:
    net.dead = (WORLDWIDE, IN_CHINA)
    assert client.start(order(), PREFIX, clock.deadline()).sid in vendor.recorders
    assert net.called == [
        (WORLDWIDE, "acquire"),
        (WORLDWIDE, "acquire"),
        (IN_CHINA, "acquire"),
        (NEXT_REGION, "acquire"),
        (NEXT_REGION, "start"),
    ]
    assert clock.naps == [1, 3, 6]


@pytest.mark.parametrize(
    "answer", [GATEWAY_DOWN, Answer(503, {"message": "no upstream"}), Answer(200, "not Agora's"), Lost(False)]
)
def test_an_answer_of_the_gateway_is_no_answer_of_agora(
    client: AgoraClient, net: Net, clock: FakeClock, vendor: FakeAgora, answer: Any
) -> None:
    vendor.script["acquire"] = [answer, answer]
    client.start(order(), PREFIX, clock.deadline())
    assert net.hosts == [WORLDWIDE, WORLDWIDE, IN_CHINA, IN_CHINA]
    assert clock.naps == [1, 3]


@pytest.mark.parametrize(
    ("answer", "naps"),
    [
        (Answer(500, {"code": 501, "reason": "no worker manager"}), [3, 6]),
        (Answer(500, {"code": 12345, "reason": "nobody knows"}), [3, 6]),
        (Answer(429, {"message": "API rate limit exceeded"}), [3, 6]),
    ],
)
def test_an_answer_of_agoras_is_no_reason_to_call_another_host(
    client: AgoraClient, net: Net, clock: FakeClock, vendor: FakeAgora, answer: Answer, naps: list[float]
) -> None:
    vendor.script["acquire"] = [answer, answer]
    client.start(order(), PREFIX, clock.deadline())
    assert set(net.hosts) == {WORLDWIDE}
    assert clock.naps == naps


def test_the_host_that_answered_last_is_called_first(client: AgoraClient, net: Net, clock: FakeClock) -> None:
    net.dead = (WORLDWIDE,)
    client.start(order("one"), PREFIX, clock.deadline())
    net.called.clear()
    net.dead = ()
    client.start(order("two"), PREFIX, clock.deadline())
    assert net.hosts == [IN_CHINA, IN_CHINA]
    net.called.clear()
    net.dead = (IN_CHINA,)
    client.start(order("three"), PREFIX, clock.deadline())
    assert net.hosts == [IN_CHINA, IN_CHINA, WORLDWIDE, WORLDWIDE]


def test_calls_that_repeat_nothing_find_a_host_too(client: AgoraClient, net: Net, clock: FakeClock) -> None:
    recorder = client.start(order(), PREFIX, clock.deadline())
    row = {"mode": "mix", "resource_id": recorder.resource_id, "sid": recorder.sid}
    net.called.clear()
    net.dead = (WORLDWIDE,)
    for _ in range(2):
        with pytest.raises(AgoraUnavailable, match="ConnectTimeout"):
            client.query(row, clock.deadline())
    assert client.query(row, clock.deadline()).status == 5
    assert net.hosts == [WORLDWIDE, WORLDWIDE, IN_CHINA]


def test_in_china_it_is_the_other_way_round() -> None:
    assert hosts_near("cn-north-1") == [IN_CHINA, WORLDWIDE, "https://api-cn-east-1.sd-rtn.com"]
    assert hosts_near("us-west-2") == [WORLDWIDE, IN_CHINA, NEXT_REGION]


def test_every_region_that_agora_writes_to_has_a_regional_host() -> None:
    assert REGIONAL.keys() == REGIONS.keys()
    assert hosts_near("xx-nowhere-1") == [WORLDWIDE, IN_CHINA]


@pytest.mark.parametrize(
    ("aws_region", "near", "far"), [("eu-central-1", "central", "west"), ("eu-west-3", "west", "central")]
)
def test_in_a_residency_no_other_host_is_called(aws_region: str, near: str, far: str) -> None:
    settings = replace(AgoraSettings.from_env(ENVIRONMENT), residency="EU")
    hosts = [f"https://api-eu-{part}-1.{name}" for part in (near, far) for name in ("agora.io", "sd-rtn.com")]
    assert _call_order(agora_client(settings, aws_region=aws_region).calls.hosts, 6) == [hosts[0], *hosts, hosts[0]]


def test_every_residency_has_hosts_of_agora_and_an_area_for_its_regions() -> None:
    assert CONFINED.keys() == RESIDENCIES.keys()
    for residency, regions in RESIDENCIES.items():
        assert {area_of(region) for region in regions} == {"NA" if residency == "US" else residency}


@pytest.mark.parametrize(
    ("region", "hosts"), [("eu-central-1", hosts_near("eu-central-1")), ("cn-north-1", hosts_near("cn-north-1"))]
)
def test_a_stage_calls_the_hosts_of_its_region(region: str, hosts: list[str]) -> None:
    settings = AgoraSettings.from_env(ENVIRONMENT)
    assert _call_order(agora_client(settings, aws_region=region).calls.hosts, 4) == [hosts[0], *hosts]


def test_a_base_url_of_ones_own_is_the_only_host(net: Any, clock: FakeClock, uploader: Uploader) -> None:
    settings = replace(AgoraSettings.from_env(ENVIRONMENT), base_urls={"agora": "https://agora.example.org/"})
    hosts = agora_client(settings, aws_region="us-west-2").calls.hosts
    assert set(_call_order(hosts, 5)) == {"https://agora.example.org"}
    net.dead = ("https://agora.example.org",)
    client = AgoraClient(AgoraCalls(lambda fresh: SECRET, hosts, net, jitter=lambda: 0.0), uploader)
    with pytest.raises(AgoraUnavailable):
        client.start(order(), PREFIX, clock.deadline())
    assert set(net.hosts) == {"https://agora.example.org"}
    assert clock.naps == [3, 6]


def test_all_attempts_fit_in_a_call_of_the_api(net: Any, clock: FakeClock, uploader: Uploader) -> None:
    net.dead = hosts_near("us-west-2")
    client = AgoraClient(AgoraCalls(lambda fresh: SECRET, HostRotation(net.dead), net, jitter=lambda: 1.0), uploader)
    with pytest.raises(AgoraUnavailable, match="acquire"):
        client.start(order(), PREFIX, clock.deadline(27))
    assert net.hosts == [WORLDWIDE, *net.dead]
    assert clock.elapsed == pytest.approx(4 * CONNECT_SECONDS + 1.25 * 10)
    assert clock.elapsed < 27


def test_no_try_outlasts_the_deadline(net: Net, clock: FakeClock, client: AgoraClient) -> None:
    net.dead = hosts_near("us-west-2")
    with pytest.raises(AgoraUnavailable):
        client.start(order(), PREFIX, clock.deadline(6.1))
    assert net.hosts == [WORLDWIDE, WORLDWIDE]
    assert clock.elapsed == pytest.approx(6.1)


def test_a_start_that_no_host_answers_stays_unsure(
    client: AgoraClient, net: Net, clock: FakeClock, vendor: FakeAgora
) -> None:
    vendor.script["start"] = [Lost(takes_effect=True)] + [GATEWAY_DOWN] * 3
    with pytest.raises(AgoraOutcomeUnknown, match="HTTP 502"):
        client.start(order(), PREFIX, clock.deadline())
    assert net.hosts == [WORLDWIDE, WORLDWIDE, WORLDWIDE, IN_CHINA, NEXT_REGION]
    assert len(vendor.recorders) == 1


def test_a_start_whose_answer_was_lost_is_found_through_another_host(
    client: AgoraClient, net: Net, clock: FakeClock, vendor: FakeAgora
) -> None:
    vendor.script["start"] = [Lost(takes_effect=True), GATEWAY_DOWN]
    assert client.start(order(), PREFIX, clock.deadline()) == Recorder("resource-0==", None)
    assert net.called[-1] == (IN_CHINA, "start")
    assert len(vendor.recorders) == 1


def _call_order(hosts: HostRotation, tries: int) -> list[str]:
    called = []
    for _ in range(tries):
        called.append(hosts.host)
        hosts.did_not_answer()
    return called
