"""A proxy on loopback that stands before a server and does to its requests what a test says."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTML = b"<!doctype html><title>Sign in</title><p>This network wants you to sign in."


@dataclass(frozen=True)
class Request:
    """One request as it came in. ``number`` counts from 1 since the rule was set."""

    number: int
    method: str
    path: str

    @property
    def writes(self) -> bool:
        """Whether it may change something: searches are sent as POST too."""
        return self.method != "GET" and not self.path.endswith("/search")


Rule = Callable[[Request], str]
"""Says what to do with a request:

``pass``    forward it, and the answer back
``drop``    close the connection before the server sees it
``lose``    forward it, and close the connection instead of answering
``half``    take half of the request's body, then close
``hang``    never answer
``slow``    answer at one byte a second
``html``    answer 200 with a page that is no answer
a number    answer with that status, and an hour as the time after which to try again
"""


def passing(request: Request) -> str:
    """Forward everything."""
    return "pass"


def always(action: str) -> Rule:
    """Do the same to every request."""
    return lambda request: action


@dataclass
class Proxy:
    """The proxy while it runs."""

    port: int
    rule: Rule = passing
    seen: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set(self, rule: Rule) -> None:
        """Follow another rule from the next request on, and count anew."""
        with self.lock:
            self.rule = rule
            self.seen.clear()

    def note(self, method: str, path: str) -> tuple[Request, str]:
        with self.lock:
            request = Request(len(self.seen) + 1, method, path.partition("?")[0])
            self.seen.append(request)
            return request, self.rule(request)


@contextmanager
def proxy_before(upstream_port: int) -> Iterator[Proxy]:  # noqa: C901 - a branch for each fault
    """Run a proxy before the server on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            _, action = proxy.note(self.command, self.path)
            if action == "drop":
                self.cut()
                return
            if action == "half":
                self.rfile.read(int(self.headers.get("Content-Length", 0)) // 2)
                self.cut()
                return
            body = self.body()
            if action == "hang":
                proxy.released.wait()
                self.cut()
                return
            if action == "html":
                self.answer(200, {"Content-Type": "text/html"}, HTML)
                return
            if action.isdigit():
                self.answer(int(action), {"Retry-After": "3600"}, b"no")
                return
            try:
                status, headers, content = self.forwarded(body)
            except OSError:  # the server is down
                self.cut()
                return
            if action == "lose":
                self.cut()
            else:
                self.answer(status, headers, content, slow=action == "slow")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", upstream_port, timeout=60)
            skipped = {"connection", "transfer-encoding", "content-length"}
            headers = {k: v for k, v in self.headers.items() if k.lower() not in skipped}
            try:
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                kept = {k: v for k, v in answer.getheaders() if k.lower() not in skipped}
                return answer.status, kept, answer.read()
            finally:
                connection.close()

        def answer(
            self, status: int, headers: dict[str, str], content: bytes, *, slow: bool = False
        ) -> None:
            lines = [f"HTTP/1.1 {status} said"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            lines += [f"Content-Length: {len(content)}", "", ""]
            whole = "\r\n".join(lines).encode() + content
            if not slow:
                self.wfile.write(whole)
                return
            for place in range(len(whole)):
                self.wfile.write(whole[place : place + 1])
                if proxy.released.wait(1):
                    self.cut()
                    return

        def cut(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the client went away, or we cut it off
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except OSError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
