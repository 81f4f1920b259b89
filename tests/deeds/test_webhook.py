"""Webhooks: real requests to a real server on loopback."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from softagent.deeds.webhook import post_webhook
from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.rules import Secret

PATIENCE_SECONDS = 60.0
VALUES = {"day": "2026-12-24", "name": "Zoë"}


class Office(ThreadingHTTPServer):
    """Answers every POST as it is told to, and keeps what came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.headers: dict[str, str] = {}
        self.content = b""
        self.requests: list[tuple[str, str | None, object]] = []
        """Path, authorization and body of each."""
        self.told: dict[str, str] = {}
        """The headers of the last one."""
        self.is_silent = False
        self.may_end = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that goes away is what some tests want."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/book?key=1"


class Handler(BaseHTTPRequestHandler):
    server: Office

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(
            (self.path, self.headers["Authorization"], json.loads(body.decode()))
        )
        self.server.told = dict(self.headers)
        if self.server.is_silent:
            self.server.may_end.wait(PATIENCE_SECONDS)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def safe_office(authority: trustme.CA) -> Iterator[Office]:
    """One that speaks TLS, with a certificate of `authority`."""
    with Office() as office:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        office.socket = context.wrap_socket(office.socket, server_side=True)
        thread = threading.Thread(target=office.serve_forever, args=(0.01,))
        thread.start()
        yield office
        office.shutdown()
        thread.join()


@pytest.fixture
def office() -> Iterator[Office]:
    with Office() as office:
        thread = threading.Thread(target=office.serve_forever, args=(0.01,))
        thread.start()
        yield office
        office.may_end.set()
        office.shutdown()
        thread.join()


def post(url: str, *, token: str = "", timeout_seconds: float = PATIENCE_SECONDS) -> DeedOutcome:
    about = {"caller": "+49 30\r\nX: y", "action": "booking"}
    return post_webhook(
        url, VALUES, about=about, token=Secret(token), timeout_seconds=timeout_seconds
    )


def test_values_are_posted_as_json_to_the_address_and_nothing_else(office: Office) -> None:
    assert post(office.url) == DeedOutcome(DeedResult.DONE, "200 OK")
    assert office.requests == [("/book?key=1", None, VALUES)]


def test_a_token_is_shown_as_bearer(office: Office) -> None:
    post(office.url, token="opensesame")
    assert office.requests[0][1] == "Bearer opensesame"


def test_headers_say_who_calls_and_can_not_be_added_to(office: Office) -> None:
    post(office.url)
    assert office.told["Softagent-Caller"] == "+4930X:y"
    assert office.told["Softagent-Action"] == "booking"
    assert "X" not in office.told


@pytest.mark.parametrize(
    ("status", "content", "outcome"),
    [
        (200, b'{"say": "Booked."}', DeedOutcome(DeedResult.DONE, "200 OK", "Booked.")),
        (201, b'{"id": 7}', DeedOutcome(DeedResult.DONE, "201 Created")),
        (200, b"<html>", DeedOutcome(DeedResult.DONE, "200 OK")),
        (409, b'{"say": "Full."}', DeedOutcome(DeedResult.REFUSED, "409 Conflict", "Full.")),
        (404, b"<html>", DeedOutcome(DeedResult.REFUSED, "404 Not Found")),
        (500, b'{"say": "x"}', DeedOutcome(DeedResult.FAILED, "500 Internal Server Error")),
    ],
)
def test_the_status_tells_what_came_of_it_and_json_what_is_said(
    office: Office, status: int, content: bytes, outcome: DeedOutcome
) -> None:
    office.status, office.content = status, content
    assert post(office.url) == outcome


def test_a_redirection_is_not_followed(office: Office) -> None:
    """Not even to the same server: the log says where to."""
    office.status, office.headers = 307, {"Location": "http://127.0.0.1:9/steal"}
    assert post(office.url) == DeedOutcome(
        DeedResult.FAILED,
        "307 Temporary Redirect: it has moved to 'http://127.0.0.1:9/steal':"
        " write that in the accounts file",
    )
    assert len(office.requests) == 1


def test_a_proxy_of_the_environment_is_not_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert post(office.url).result is DeedResult.DONE


def test_a_server_that_says_nothing_is_not_waited_for(office: Office) -> None:
    office.is_silent = True
    assert post(office.url, timeout_seconds=0.2) == DeedOutcome(
        DeedResult.TIMED_OUT, "no answer within 0.2 s"
    )
    for thread in threading.enumerate():
        if thread.name == "webhook":
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


def test_an_endless_answer_is_read_to_its_limit_only(office: Office) -> None:
    office.content = b" " * 10_000_000
    assert post(office.url) == DeedOutcome(DeedResult.DONE, "200 OK")


def test_a_certificate_must_be_in_order(
    safe_office: Office, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an authority that this machine knows, or that SSL_CERT_FILE names."""
    url = safe_office.url.replace("http:", "https:")
    outcome = post(url, token="opensesame")
    assert outcome.result is DeedResult.FAILED
    assert "certificate verify failed" in outcome.detail
    assert safe_office.requests == []
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert post(url, token="opensesame").result is DeedResult.DONE


def test_nobody_at_the_address() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        outcome = post(f"http://127.0.0.1:{reserved.getsockname()[1]}/")
    assert outcome.result is DeedResult.FAILED
    assert outcome.detail.startswith("ConnectionRefusedError: ")


def test_what_is_no_http_at_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        outcome = post(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()
    assert outcome.result is DeedResult.FAILED
