"""While its customer's cloud is down, a vendor waits. What fails while the cloud is up has failed."""

from pathlib import Path

import pytest

from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.customer.outages import Outages


class Cloud:
    """Down for so many looks; then it answers calls with these statuses, 0 for none."""

    def __init__(self, looks: int, *statuses: int) -> None:
        self.looks = looks
        self.statuses = [*statuses]
        self.calls = 0

    def is_up(self) -> bool:
        return self.looks == 0

    def sleep(self, _: float) -> None:
        self.looks -= 1

    def answer(self) -> int:
        self.calls += 1
        return self.statuses.pop(0) if self.looks == 0 else 0

    def download(self, link: str, target: Path) -> None:
        if (status := self.answer()) != 200:
            raise DownloadFailed("failed", status or None)

    def send(self, *_: object) -> int:
        return self.answer()


@pytest.mark.parametrize(("looks", "calls"), [(0, 1), (3, 2)])
def test_a_call_outlasts_an_outage(looks: int, calls: int) -> None:
    cloud = Cloud(looks, 200)
    assert Outages(cloud.is_up, cloud.sleep).outlasted_by_send(cloud.send)("POST", "", b"", {}) == 200
    assert cloud.calls == calls

    cloud = Cloud(looks, 200)
    Outages(cloud.is_up, cloud.sleep).outlasted_by_download(cloud.download)("", Path())
    assert cloud.calls == calls


@pytest.mark.parametrize("status", [0, 403])
def test_what_fails_while_the_cloud_is_up_has_failed(status: int) -> None:
    cloud = Cloud(0, status, status)
    outages = Outages(cloud.is_up, cloud.sleep)
    assert outages.outlasted_by_send(cloud.send)("POST", "", b"", {}) == status
    with pytest.raises(DownloadFailed):
        outages.outlasted_by_download(cloud.download)("", Path())
    assert cloud.calls == 2
