"""One POST to a subscriber, over real sockets: whom it reaches, what it proves, and what cannot hold it up."""

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from recording_insights.errors import HostRefused
from recording_insights.notices.addresses import Destination, destination_of
from recording_insights.notices.sender import Sender, Sent

HOST = "hook.test"
"""No name server knows it."""
BODY = b'{"id":"evt_1"}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `hook.test` and its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "hook.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def whole_request(opened: socket.socket) -> bytes:
    """Read a request with its body: a server that closes before may take its own answer back."""
    request = b""
    while not request.endswith(BODY):
        if not (more := opened.recv(65536)):
            break
        request += more
    return request


Answer = Callable[[socket.socket], None]


@dataclass
class Receiver:
    """A server on this machine: `requests` are what it got, `names` the hosts that clients asked for by SNI."""

    answer: Answer
    context: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        if self.context:
            self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                opened, _ = self.listening.accept()
            except OSError:
                return
            try:
                if self.context:
                    opened = self.context.wrap_socket(opened, server_side=True)
                self.requests.append(whole_request(opened))
                self.answer(opened)
            except OSError:
                pass
            finally:
                opened.close()

    def close(self) -> None:
        # Closing alone does not wake a thread that accepts.
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


Serve = Callable[..., Receiver]


@pytest.fixture
def serve(certificate: Path) -> Iterator[Serve]:
    made: list[Receiver] = []

    def start(answer: Answer = lambda opened: opened.sendall(OK), *, is_encrypted: bool = True) -> Receiver:
        context = None
        if is_encrypted:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        made.append(Receiver(answer, context))
        return made[-1]

    yield start
    for receiver in made:
        receiver.close()


def at(receiver: Receiver, host: str = HOST, *addresses: str) -> Callable[[str], Destination]:
    """Every URL leads to the receiver, which has this name."""
    is_encrypted = receiver.context is not None
    port = receiver.port
    return lambda url: Destination(host, port, addresses or ("127.0.0.1",), "/hook?a=1", f"{host}:{port}", is_encrypted)


@pytest.fixture
def trusted(certificate: Path) -> Callable[[], ssl.SSLContext]:
    return lambda: ssl.create_default_context(cafile=str(certificate))


def post(sender: Sender) -> Sent:
    return sender.post(f"https://{HOST}/", BODY, {"webhook-id": "evt_1"})


def test_a_post_goes_to_the_checked_address_for_the_host_by_name(
    serve: Serve, trusted: Callable[[], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second resolution, or a proxy, would fail: nobody knows the name, and nobody listens at the proxy."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    receiver = serve()
    assert post(Sender(at(receiver), trusted)) == Sent(200)
    assert receiver.names == [HOST]
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
    assert f"host: {HOST}:{receiver.port}".encode() in head
    assert b"webhook-id: evt_1" in head
    assert body == BODY


def test_the_next_address_is_tried_if_one_takes_no_connection(
    serve: Serve, trusted: Callable[[], ssl.SSLContext]
) -> None:
    assert post(Sender(at(serve(), HOST, "127.0.0.9", "127.0.0.1"), trusted)) == Sent(200)


def test_a_certificate_has_to_be_valid_for_the_host(serve: Serve, trusted: Callable[[], ssl.SSLContext]) -> None:
    receiver = serve()
    of_another = post(Sender(at(receiver, "other.test"), trusted))
    of_nobody = post(Sender(at(receiver)))
    assert of_another == of_nobody == Sent(error="the certificate is not valid")
    assert receiver.requests == []


def test_a_redirect_is_a_failure(serve: Serve) -> None:
    inner = serve(is_encrypted=False)
    moved = f"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{inner.port}/\r\n\r\n".encode()
    sent = post(Sender(at(serve(lambda opened: opened.sendall(moved), is_encrypted=False))))
    assert sent == Sent(307, "redirects are not followed")
    assert not sent.is_delivered
    assert inner.requests == []


def drip(opened: socket.socket) -> None:
    """A byte now and then, for ever: each one begins the time-out of a socket anew."""
    pause = threading.Event()
    while True:
        opened.sendall(b"H")
        pause.wait(0.05)


def silent(opened: socket.socket) -> None:
    while opened.recv(65536):
        pass


@pytest.mark.parametrize("answer", [drip, silent])
@pytest.mark.parametrize("is_encrypted", [True, False])
def test_a_receiver_that_answers_too_slowly_is_left(
    serve: Serve, trusted: Callable[[], ssl.SSLContext], answer: Answer, is_encrypted: bool
) -> None:
    receiver = serve(answer, is_encrypted=is_encrypted)
    sent = post(Sender(at(receiver), trusted, timeout_seconds=0.3))
    assert sent == Sent(error="no answer within 0.3 s")


def test_a_body_without_an_end_changes_nothing(serve: Serve) -> None:
    def flood(opened: socket.socket) -> None:
        opened.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            opened.sendall(b"x" * 4096)

    assert post(Sender(at(serve(flood, is_encrypted=False)))).is_delivered


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" * 200]
)
def test_what_is_no_answer_is_a_failure(serve: Serve, answer: bytes) -> None:
    sent = post(Sender(at(serve(lambda opened: opened.sendall(answer), is_encrypted=False))))
    assert sent == Sent(error="no connection, or no HTTP")


def test_nobody_is_reached_where_nobody_listens_or_may_be_reached(serve: Serve) -> None:
    receiver = serve(is_encrypted=False)
    receiver.close()
    assert post(Sender(at(receiver))) == Sent(error="no connection, or no HTTP")

    def refused(url: str) -> Destination:
        raise HostRefused("its host has an address that is not public")

    assert post(Sender(refused)) == Sent(error="not sent: its host has an address that is not public")


@pytest.mark.parametrize(
    "url", ["https://localhost/", "https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/", "https://[::1]/"]
)
def test_no_spelling_of_this_machine_is_resolved_to_a_destination(url: str) -> None:
    with pytest.raises(HostRefused, match="not public"):
        destination_of(url)
