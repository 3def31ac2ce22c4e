"""How logs, witnesses and webhooks are reached: certificates and proxies as with `evident pull`, and what servers bear."""

import functools
import http.server
import json
import socket
import ssl
import subprocess
import threading

import httpx
import pytest

from conftest import run
from hub_server import Tunnel
from log_files import Key, LogFiles, Node
from test_log import Process, eventually

KEY = Key("log.example/network", 7)


class Secure:
    """A web server with a certificate that nobody knows: a folder for readers, and what is posted is refused."""

    def __init__(self, folder):
        self.certificate, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-subj", "/CN=log", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
             str(self.certificate)], check=True, capture_output=True)
        self.posted: list[bytes] = []
        secure = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_POST(self):
                secure.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *arguments):
                # Whoever does not know the certificate hangs up.
                pass

        self.server = Quiet(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder / "served")))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def secure(tmp_path):
    secure = Secure(tmp_path)
    yield secure
    secure.close()


def test_readers(tmp_path, secure):
    LogFiles(tmp_path / "served", KEY).append([b"entry %d" % i for i in range(300)]).publish()
    fsck = ("log", "fsck", "--json", secure.url, "--key", KEY.vkey)
    done = run(tmp_path, *fsck, check=2)
    [finding] = json.loads(done.out)["findings"]
    assert finding["unread"] and "certificate" in finding["problem"] and "SSL_CERT_FILE" in finding["problem"]
    trusted = {"SSL_CERT_FILE": str(secure.certificate)}
    assert json.loads(run(tmp_path, *fsck, **trusted).out)["size"] == 300
    done = run(tmp_path, *fsck, check=None, SSL_CERT_FILE="/no/such")
    assert done.returncode != 0 and "/no/such" in done.out + done.err
    # Through a proxy, which sees where it goes and not what.
    tunnel = Tunnel()
    assert json.loads(run(tmp_path, *fsck, **trusted, HTTPS_PROXY=tunnel.url).out)["ok"]
    assert tunnel.heads and all(b"CONNECT" in h and b"Basic dXNlcjpzZWNyZXQ=" in h for h in tunnel.heads)
    seen = len(tunnel.heads)
    assert json.loads(run(tmp_path, *fsck, **trusted, HTTPS_PROXY=tunnel.url, NO_PROXY="127.0.0.1").out)["ok"]
    assert len(tunnel.heads) == seen
    # A webhook goes the same way.
    monitor = ("monitor", "--once", str(tmp_path / "served"), "--key", Key(KEY.name, 8).vkey, "--webhook", secure.url + "/hook")
    done = run(tmp_path, *monitor, check=1)
    assert "certificate" in done.err and secure.posted == []
    done = run(tmp_path, *monitor, check=1, **trusted, HTTPS_PROXY=tunnel.url)
    assert "it answers 403" in done.err and json.loads(secure.posted[0])["alarm"] == "wrongSignature"
    assert len(tunnel.heads) > seen
    tunnel.close()


def test_a_logs_witnesses(tmp_path, secure):
    home = tmp_path / "log"
    home.mkdir()
    vkey = run(home, "log", "key", "--origin", "log.example/asks").out.strip()
    (tmp_path / "w").mkdir()
    witness = Process(tmp_path / "w", "witness", "--name", "w.example/w", "--log", vkey, "--port", "0")
    key = witness.process.stdout.readline().decode().split()[2]
    assert witness.stop() == 0
    (tmp_path / "policy").write_text(f"log {vkey}\nwitness w {key} {secure.url}\nquorum w\n")
    arguments = (home, "log", "serve", "--listen", "127.0.0.1:0", "--policy", str(tmp_path / "policy"))

    def says(log, text: str):
        eventually(text, lambda: text in httpx.get(log.url + "/health").json()["publishing"])
        assert log.stop() == 0

    says(Process(*arguments), "certificate")
    assert secure.posted == []
    tunnel = Tunnel()
    says(Process(*arguments, SSL_CERT_FILE=str(secure.certificate), HTTPS_PROXY=tunnel.url), "403")
    assert secure.posted[0].startswith(b"old 0\n\nlog.example/asks\n") and tunnel.heads
    tunnel.close()


@pytest.mark.parametrize("command", ["log", "witness"])
def test_who_only_connects_takes_no_files_away(tmp_path, command):
    """Connections on which nothing comes leave the server the files that it needs for its work."""
    arguments = {"log": ["log", "serve", "--listen", "127.0.0.1:0"],
                 "witness": ["witness", "--name", "w.example/w", "--log", KEY.vkey, "--port", "0"]}[command]
    server = Process(tmp_path, *arguments, files=64)
    place = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    with httpx.Client() as first:
        assert first.get(server.url + "/metrics").status_code == 200
        idle = [socket.create_connection(place) for _ in range(100)]
        for connection in idle:
            connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nold")
        if command == "log":
            assert first.post(server.url + "/entries", content=Node(1).entry(1), timeout=30).status_code == 200
        else:
            body = LogFiles(tmp_path / "files", KEY).add_checkpoint(0)
            assert first.post(server.url + "/add-checkpoint", content=body, timeout=30).status_code == 200
        [connection.close() for connection in idle]
    eventually("others are served", lambda: httpx.get(server.url + "/metrics").status_code == 200)
    assert server.stop() == 0


def test_who_does_not_read_fills_no_memory(tmp_path):
    """The largest bundles, asked for by many who read nothing of them: the fifth is put off, and all else is served."""
    folder = tmp_path / "state/log"
    log = LogFiles(folder, KEY).append([b"%05d" % i + bytes(65_530) for i in range(256)])
    log.publish()
    (folder / ".latest").write_bytes(log.checkpoint())
    (tmp_path / "log.key").write_text(KEY.secret_text() + "\n")
    (tmp_path / "log.key").chmod(0o600)
    server = Process(tmp_path, "log", "serve", "--listen", "127.0.0.1:0", "--dir", str(folder), "--key", str(tmp_path / "log.key"))
    place = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    bundle = server.url + "/tile/entries/000"
    plain = {"accept-encoding": "identity"}
    stalled = []
    try:
        assert len(httpx.get(bundle, headers=plain, timeout=60).content) == 256 * 65_537
        for _ in range(4):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(place)
            connection.sendall(b"GET /tile/entries/000 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
            stalled.append(connection)
        late = httpx.get(bundle, headers=plain, timeout=60)
        assert late.status_code == 503 and int(late.headers["retry-after"]) >= 1
        assert httpx.get(server.url + "/checkpoint").status_code == httpx.get(server.url + "/tile/0/000").status_code == 200
        # One that was asked for with HEAD, or that is over, takes nothing.
        stalled.pop().close()
        eventually("one is over", lambda: httpx.head(bundle, headers=plain, timeout=60).status_code == 200)
        eventually("it took nothing", lambda: httpx.get(bundle, headers=plain, timeout=60).status_code == 200)
    finally:
        [connection.close() for connection in stalled]
        server.kill()


@pytest.mark.parametrize("command", ["log", "witness"])
def test_who_ends_no_request_holds_up_no_end(tmp_path, command):
    arguments = {"log": ["log", "serve", "--listen", "127.0.0.1:0"],
                 "witness": ["witness", "--name", "w.example/w", "--log", KEY.vkey, "--port", "0"]}[command]
    server = Process(tmp_path, *arguments)
    path = b"/entries" if command == "log" else b"/add-checkpoint"
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nold")
        # The answer to what comes after it shows that it was seen.
        assert httpx.get(server.url + "/metrics").status_code == 200
        assert server.stop() == 0
