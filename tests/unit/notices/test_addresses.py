"""Which hosts get events: no name and no spelling of an address leads into a network."""

import pytest

from recording_insights.errors import HostRefused
from recording_insights.notices.addresses import Resolve, destination_of, is_public

PRIVATE = (
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "192.168.1.1"),
    *("192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1", "100::1"),
    *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:127.0.0.1", "::7f00:1", "::a9fe:a9fe"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::", "2001:0:1::1"),
)
PUBLIC = ("8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8")


def to(*addresses: str) -> Resolve:
    """Every host has these addresses."""
    return lambda host, port: addresses


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(address)
    # One such address among others is enough.
    for addresses in ([address], ["8.8.8.8", address]):
        with pytest.raises(HostRefused, match="not public"):
            destination_of("https://a.test/", resolve=to(*addresses))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_kept(address: str) -> None:
    found = destination_of("https://a.test/x?y=1#z", resolve=lambda host, port: [address])
    assert (found.host, found.port, list(found.addresses)) == ("a.test", 443, [address])
    assert (found.target, found.authority, found.is_encrypted) == ("/x?y=1", "a.test", True)


@pytest.mark.parametrize("url", ["http://a.test/", "https://a.test:22/", "https://a.test:80/", "http://a.test:443/"])
def test_other_schemes_and_ports_are_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(HostRefused, match="must be https, at port 443 or 8443"):
        destination_of(url, resolve=lambda host, port: pytest.fail("nothing is resolved"))


def test_a_host_without_an_address_is_refused() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError

    none: tuple[Resolve, ...] = (unknown, to())
    for has_none in none:
        with pytest.raises(HostRefused, match="resolved"):
            destination_of("https://a.test/", resolve=has_none)


def test_ipv4_comes_first_and_a_scope_hides_nothing() -> None:
    found = destination_of("https://a.test:8443", resolve=lambda host, port: ["2606:4700::1", "8.8.8.8", "8.8.8.8"])
    assert (list(found.addresses), found.target) == (["8.8.8.8", "2606:4700::1"], "/")
    with pytest.raises(HostRefused):
        destination_of("https://a.test", resolve=lambda host, port: ["fe80::1%eth0"])


def test_on_the_local_stage_this_machine_is_allowed_and_no_other_network() -> None:
    def at(url: str, address: str) -> object:
        return destination_of(url, allows_loopback=True, resolve=lambda host, port: [address])

    assert at("http://127.0.0.1:5000/", "127.0.0.1")
    assert at("https://localhost:1", "::1")
    for url, address in (
        ("http://a.test", "8.8.8.8"),
        ("http://a.test", "10.0.0.1"),
        ("https://a.test", "169.254.169.254"),
    ):
        with pytest.raises(HostRefused):
            at(url, address)
