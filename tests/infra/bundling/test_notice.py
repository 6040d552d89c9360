"""NOTICE and the bill of materials list what the packages hold."""

from pathlib import Path

import pytest

from dependencies.locks import locked
from dependencies.sbom import licences, native_libraries
from infra.bundling.native_wheels import LAMBDA_WHEELS
from infra.bundling.packages import SHARED_WHEELS
from sandbox.cloud.location import PROJECT


def python_packages() -> dict[str, str]:
    return locked(SHARED_WHEELS.lock) | locked(LAMBDA_WHEELS.lock)


def test_notice_lists_every_python_package() -> None:
    """Also the release of PyAV whose libraries it describes."""
    listed = {name for name in licences() if not name.startswith("lib")}
    assert listed == python_packages().keys()
    assert f"(av {python_packages()['av']})" in (PROJECT / "NOTICE").read_text()


def test_a_package_carries_the_notice_and_our_license(shared_package: Path) -> None:
    for name in ("NOTICE", "LICENSE"):
        assert (shared_package / name).read_bytes() == (PROJECT / name).read_bytes()


@pytest.mark.matrix
def test_notice_and_bill_list_every_library_and_the_gpl_ones_by_name(on_lambda: Path) -> None:
    components = native_libraries(on_lambda, licences())
    assert len(components) == len(list(on_lambda.rglob("*.libs/*")))
    assert {part["name"] for part in components} == {name for name in licences() if name.startswith("lib")}
    under_gpl = {part["name"] for part in components if part["licenses"][0]["expression"].startswith("GPL")}
    assert under_gpl == {"libx264", "libx265"}
    [codecs] = on_lambda.glob("av.libs/libavcodec-*")
    text = codecs.read_bytes()
    assert b"--enable-libx264 --enable-libx265" in text
    assert b"LGPL version 3 or later" in text
    assert b"--enable-gpl" not in text


def test_a_component_has_the_digest_and_the_licence_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "av.libs").mkdir()
    (tmp_path / "av.libs" / "libxcb-shape-3b0c.so.0.1").write_bytes(b"code")
    notice = "Of others:\n\n  libxcb-shape  MIT OR X11  https://xcb.test\n"
    [component] = native_libraries(tmp_path, licences(notice))
    assert (component["name"], component["version"]) == ("libxcb-shape", "0.1")
    assert component["licenses"] == [{"expression": "MIT OR X11"}]
    assert component["hashes"][0]["content"].startswith("5694d08a2e53ffca")
