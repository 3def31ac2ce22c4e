"""A hub that speaks the endpoints of huggingface.co on loopback, and fails in the ways that one asks for.

    hub = Hub(); hub.add("org/name", {"config.json": b"…"}); … hub.close()

Every answer is logged with the number of body bytes that were sent.
"""

import hashlib
import json
import socket
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 64 << 10
LARGE = 4096  # files from here on, and all weights, are LFS files


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(path: str, content: bytes) -> bool:
    return len(content) >= LARGE or path.endswith((".safetensors", ".gguf"))


@dataclass
class Repository:
    files: dict
    commit: str
    gated: bool = False
    private: bool = False
    licence: str | None = None
    revisions: set = field(default_factory=lambda: {"main"})


@dataclass
class Sent:
    """One answer."""

    place: str  # "hub" or "cdn"
    method: str
    path: str
    status: int
    token: str | None
    range: str | None
    bytes: int = 0


class Faults:
    """What goes wrong. Paths are those of files; `statuses` maps a part of a URL to answers given first."""

    def __init__(self):
        self.cuts = {}  # path -> [bytes to send before the connection ends, one per request]
        self.stall = {}  # path -> bytes to send before nothing more comes
        self.rate = None  # bytes per second of each connection
        self.ranges = True
        self.statuses = []  # [part of a URL, status, headers, how often]
        self.content = {}  # path -> other bytes than those listed
        self.etags = {}  # path -> another ETag
        self.sizes = {}  # path -> another size in the list of files


class Hub:
    def __init__(self, cdn: bool = False, certificate: tuple | None = None, page: int = 1000):
        self.repositories: dict[str, Repository] = {}
        self.tokens = {"hf_good"}
        self.faults = Faults()
        self.page = page
        self.log: list[Sent] = []
        self.lock = threading.Lock()
        self.closed = threading.Event()
        self.servers = [self._start("hub", certificate)]
        self.cdn_url = None
        if cdn:
            self.servers.append(self._start("cdn", None))
            self.cdn_url = f"http://localhost:{self.servers[1].server_address[1]}"
        self.scheme = "https" if certificate else "http"
        self.url = f"{self.scheme}://127.0.0.1:{self.servers[0].server_address[1]}"

    def _start(self, place: str, certificate):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"hub": self, "place": place}))
        server.daemon_threads = True
        server.block_on_close = False
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def add(self, name: str, files: dict, **options) -> Repository:
        seed = json.dumps([name, {p: hashlib.sha256(c).hexdigest() for p, c in sorted(files.items())}])
        commit = hashlib.sha1(seed.encode()).hexdigest()
        self.repositories[name] = Repository(files=dict(files), commit=commit, **options)
        return self.repositories[name]

    def close(self):
        self.closed.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def sent(self, path: str) -> int:
        """Body bytes of a file that went out so far."""
        with self.lock:
            return sum(s.bytes for s in self.log if s.path.endswith("/" + path))

    def requests(self, part: str, place: str | None = None) -> list[Sent]:
        with self.lock:
            return [s for s in self.log if part in s.path and place in (None, s.place)]

    def forget(self):
        with self.lock:
            self.log.clear()


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    place: str
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        try:
            self.answer()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_HEAD = do_GET

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        token = self.headers.get("Authorization")
        self.entry = Sent(self.place, self.command, path, 0, token, self.headers.get("Range"))
        with self.hub.lock:
            self.hub.log.append(self.entry)
            fault = next((f for f in self.hub.faults.statuses if f[0] in path and f[3] > 0), None)
            if fault:
                fault[3] -= 1
        if fault:
            return self.send(fault[1], b"no", fault[2])
        if self.place == "cdn":
            return self.file(*path.removeprefix("/cdn/").split("::", 1), signed=True)
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"] and len(parts) >= 6 and parts[4] in ("revision", "tree"):
            name, revision = "/".join(parts[2:4]), "/".join(parts[5:])
            kind = parts[4]
        elif len(parts) >= 5 and parts[2] == "resolve":
            name, revision, kind = "/".join(parts[:2]), parts[3], "resolve"
        else:
            return self.send(404, b"")
        repository = self.hub.repositories.get(name)
        known = token is not None and token.removeprefix("Bearer ") in self.hub.tokens
        if token is not None and not known:
            return self.send(401, b"", {"X-Error-Message": "Invalid credentials in Authorization header"})
        if repository is None or repository.private and not known:
            # As the hub does: whoever it does not know is not told what exists.
            status = 404 if known else 401
            return self.send(status, b"", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        if revision not in repository.revisions | {repository.commit}:
            return self.send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if kind == "revision":
            card = {"license": repository.licence} if repository.licence else {}
            siblings = [{"rfilename": p} for p in sorted(repository.files)]
            return self.json({"id": name, "sha": repository.commit, "cardData": card, "siblings": siblings})
        if kind == "tree":
            return self.tree(repository, url)
        if repository.gated and not known:
            return self.send(401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
        return self.file(name, "/".join(parts[4:]))

    def tree(self, repository: Repository, url):
        query = urllib.parse.parse_qs(url.query)
        start = int(query.get("cursor", ["0"])[0])
        paths = sorted(repository.files)
        entries = []
        for path in paths[start : start + self.hub.page]:
            content = repository.files[path]
            size = self.hub.faults.sizes.get(path, len(content))
            entry = {"type": "file", "path": path, "size": size, "oid": git_blob(content)}
            if is_large(path, content):
                entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 134}
            entries.append(entry)
        folders = sorted({p.split("/")[0] for p in paths if "/" in p})
        if start == 0:
            entries += [{"type": "directory", "path": f, "size": 0, "oid": "0" * 40} for f in folders]
        headers = {}
        if start + self.hub.page < len(paths):
            # As a mirror may: the address names the hub that it mirrors.
            headers["Link"] = (
                f'<https://huggingface.co{url.path}?recursive=true&cursor={start + self.hub.page}>; rel="next"')
        self.json(entries, headers)

    def file(self, name: str, path: str, signed: bool = False):
        repository = self.hub.repositories[name]
        faults = self.hub.faults
        if path not in repository.files:
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound"})
        listed = repository.files[path]
        large = is_large(path, listed)
        digest = hashlib.sha256(listed).hexdigest() if large else git_blob(listed)
        tag = '"' + faults.etags.get(path, digest) + '"'
        headers = {"X-Repo-Commit": repository.commit, "Accept-Ranges": "bytes", "ETag": tag}
        if large and not signed and self.hub.cdn_url:
            place = f"{self.hub.cdn_url}/cdn/{urllib.parse.quote(name + '::' + path)}?signature=secret"
            headers |= {"X-Linked-Etag": tag, "X-Linked-Size": str(len(listed)), "Location": place, "ETag": '"redirect"'}
            return self.send(302, b"Found", headers)
        content = faults.content.get(path, listed)
        lower, upper, status = 0, len(content), 200
        wanted = self.headers.get("Range")
        if wanted and faults.ranges:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            lower, upper = int(first), min(int(last) + 1 if last else len(content), len(content))
            if lower >= upper:
                return self.send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            headers["Content-Range"] = f"bytes {lower}-{upper - 1}/{len(content)}"
            status = 206
        with self.hub.lock:
            cut = faults.cuts[path].pop(0) if faults.cuts.get(path) else None
        self.send(status, memoryview(content)[lower:upper], headers, cut=cut, stall=faults.stall.get(path))

    def json(self, value, headers=None):
        self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"} | (headers or {}))

    def send(self, status: int, body, headers=None, cut: int | None = None, stall: int | None = None):
        self.entry.status = status
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        end = min(n for n in (cut, stall, len(body)) if n is not None)
        at = 0
        rate = self.hub.faults.rate
        piece = PIECE if rate is None else min(PIECE, max(1024, rate // 20))
        while at < end and not self.hub.closed.is_set():
            part = body[at : min(at + piece, end)]
            self.wfile.write(part)
            at += len(part)
            self.entry.bytes = at
            if rate is not None:
                time.sleep(len(part) / rate)
        if stall is not None and stall < len(body):
            self.hub.closed.wait(60)
        if cut is not None and cut < len(body):
            # What was sent arrives and is read; then the connection ends.
            time.sleep(0.25 if cut else 0)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_WR)


class Tunnel:
    """A proxy that knows CONNECT only, and counts."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://user:secret@127.0.0.1:{self.listener.getsockname()[1]}"
        self.heads: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.heads.append(head)
        host, _, port = head.split()[1].decode().rpartition(":")
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for a, b in ((client, server), (server, client)):
            threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
