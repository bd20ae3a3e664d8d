"""The page's side over real TCP: who may do what, from where, how often; idle and greedy clients; stopping under load; secrets."""
import http.client
import json
import os
import re
import resource
import socket
import stat
import subprocess
import threading
import time

from faults import faults
from oracle import Lines, api, api_json, append, oracle, read, wait_lines, write
from product import check


class Page:
    """`up` with its TCP port, and requests to it with any header."""

    def __init__(self, home, *words):
        self.home = home
        write(home.log("a.log"), b"2026-11-20 10:00:00 INFO hello from the page's tests\n")
        self.up = home.start(home.logs, *words)
        home.wait_until(lambda: home.count() >= 1, "the line is there")
        self.url = home.run("login", "--quiet").stdout.decode().strip()
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def ask(self, method, target, headers=None, body=b"", host=None, address="127.0.0.1"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(address, 0))
        connection.putrequest(method, target, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        connection.putheader("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), data

    def bearer(self, token, method, target, body=b"", **kwargs):
        return self.ask(method, target, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}, body, **kwargs)

    def token(self, name, role):
        return self.home.run("token", "create", name, "--role", role, "--quiet").stdout.decode().split()[0]


def routes_of(home):
    """(method, path, who may) of every route of the generated table."""
    table = api_json(home, "/api/v1/openapi.json")
    return [(method.upper(), path, operation) for path, methods in table["paths"].items() for method, operation in methods.items()]


@faults("X1")
def test_every_route_wants_a_token(home):
    """Every route of the generated table refuses no token, a wrong one, a revoked one; a viewer's and an ingest token get no further than they may."""
    page = Page(home)
    routes = routes_of(home)
    check(len(routes) >= 20, f"{len(routes)} routes in the table")
    public = {"/healthz", "/signin"}
    viewer, ingest, revoked = page.token("v", "viewer"), page.token("i", "ingest"), page.token("r", "admin")
    ids = [t["id"] for t in api_json(home, "/api/v1/tokens")["tokens"] if t["name"] == "r"]
    check(page.bearer(revoked, "GET", "/api/v1/status")[0] == 200, "the token works until it is revoked")
    home.run("token", "revoke", ids[0])
    wrong_from = 0
    for method, path, _ in routes:
        target = path.replace("{id}", "x")
        if path in public:
            continue
        status, _, body = page.ask(method, target)
        check(status in (401, 302, 303), f"{method} {path} without a token: {status} {body[:200]!r}")
        wrong_from += 1
        for what, token in (("a wrong", "lb_" + "x" * 40), ("a revoked", revoked)):
            wrong_from += 1
            status = page.bearer(token, method, target, address=f"127.0.{wrong_from // 200}.{wrong_from % 200 + 2}")[0]
            check(status in (401, 429) or (status == 303 and not path.startswith("/api")), f"{method} {path} with {what} token: {status}")
    admin_only = [("POST", "/api/v1/tokens"), ("DELETE", "/api/v1/tokens/x"), ("GET", "/api/v1/tokens"), ("POST", "/api/v1/import"), ("PUT", "/api/v1/rules"),
                  ("POST", "/api/v1/backup"), ("GET", "/api/v1/events"), ("POST", "/api/v1/login"), ("POST", "/api/v1/audit/accept")]
    for method, target in admin_only:
        check(page.bearer(viewer, method, target, b"{}")[0] == 403, f"{method} {target} with a viewer's token: {page.bearer(viewer, method, target, b'{}')[0]}")
    for method, path, _ in routes:
        if path in public or path == "/":
            continue
        status = page.bearer(ingest, method, path.replace("{id}", "x"), b"{}")[0]
        check(status == 403 or "ingest" in path, f"{method} {path} with an ingest token: {status}")
    check(page.bearer(viewer, "GET", "/api/v1/search?limit=1")[0] == 200, "a viewer may search")
    short = home.run("token", "create", "short", "--role", "viewer", "--expires-in", "1s", "--quiet").stdout.decode().split()[0]
    home.wait_until(lambda: page.bearer(short, "GET", "/api/v1/status", address="127.0.0.77")[0] in (401, 429), "a token expires")
    home.stop(page.up)


@faults("X2")
def test_foreign_host_names(home):
    """A Host header that is not ours is refused before anything else, also with a good token and for public routes."""
    page = Page(home)
    token = page.token("a", "admin")
    for host in ("evil.example", f"evil.example:{page.port}", "169.254.169.254", "127.0.0.1.evil.example", "[::2]", "localhost.evil", " "):
        for target in ("/", "/signin", "/api/v1/status", "/nowhere"):
            status = page.bearer(token, "GET", target, host=host)[0]
            check(status in (400, 403), f"Host {host!r} at {target}: {status}")
    check(page.bearer(token, "GET", "/api/v1/status", host=f"localhost:{page.port}")[0] == 200, "localhost is ours")
    home.stop(page.up)


def session(page):
    status, headers, _ = page.ask("GET", page.url[page.url.index("/signin"):])
    check(status in (302, 303), f"signing in: {status}")
    return headers["set-cookie"]


@faults("X3")
def test_cross_site_requests(home):
    """The cookie is HttpOnly and SameSite=Strict; a request of another site, or a form, changes nothing; `live` is not for other origins."""
    page = Page(home)
    cookie = session(page)
    for wanted in ("HttpOnly", "SameSite=Strict", "Path=/"):
        check(wanted.lower() in cookie.lower(), f"{wanted} is missing in {cookie}")
    name = cookie.split(";")[0]
    check(page.ask("GET", page.url[page.url.index("/signin"):])[0] == 401, "a one-time address works once")
    body = b'{"name": "evil", "role": "admin"}'
    ours = {"Cookie": name, "Content-Type": "application/json"}
    for headers in ({**ours, "Origin": "http://evil.example"}, {**ours, "Origin": "null"}, {**ours, "Origin": f"http://127.0.0.1:{page.port + 1}"},
                    {**ours, "Sec-Fetch-Site": "cross-site"}, ours, {"Cookie": name, "Origin": "http://evil.example", "Content-Type": "application/x-www-form-urlencoded"},
                    {"Cookie": name, "Origin": "http://evil.example", "Content-Type": "text/plain"}):
        status = page.ask("POST", "/api/v1/tokens", headers, body)[0]
        check(status in (400, 403, 415), f"POST with {headers}: {status}")
    check(page.ask("GET", "/api/v1/live", {"Cookie": name, "Origin": "http://evil.example"})[0] == 403, "live for another origin")
    check(not [t for t in api_json(home, "/api/v1/tokens")["tokens"] if t["name"] == "evil"], "no token was made")
    status = page.ask("POST", "/api/v1/tokens", {**ours, "Origin": f"http://127.0.0.1:{page.port}"}, body)[0]
    check(status in (200, 201), f"the page itself may: {status}")
    home.stop(page.up)


@faults("B31")
def test_bodies_of_the_wrong_shape(home):
    """JSON of the wrong shape: 400 with a pointer to the member, nothing changed. A change of the rules is in the events with who made it."""
    page = Page(home)
    token = page.token("ops", "admin")
    before = api_json(home, "/api/v1/rules")
    for method, target, body, wanted in (("PUT", "/api/v1/rules", {"yaml": 3}, "/yaml"), ("PUT", "/api/v1/rules", {"yaml": "collect: {items: []}", "revision": "new"}, "/revision"),
                                         ("PUT", "/api/v1/rules", {}, "/yaml"), ("PUT", "/api/v1/rules", {"yaml": "collect: {items: []}", "revison": 1}, "/revison"), ("PUT", "/api/v1/rules", [1], "object"),
                                         ("POST", "/api/v1/backup", {"directory": ["/x"]}, "/directory"), ("POST", "/api/v1/import", {"paths": "/x"}, "paths"), ("POST", "/api/v1/import", {"paths": [1]}, "paths"),
                                         ("POST", "/api/v1/tokens", {"name": {"a": 1}, "role": "admin"}, "/name"), ("POST", "/api/v1/tokens", {"name": "x", "role": "king"}, "/role"),
                                         ("POST", "/api/v1/search", {"limit": {}}, "/limit")):
        status, _, answer = page.bearer(token, method, target, json.dumps(body).encode())
        check(status == 400 and wanted in answer.decode(), f"{method} {target} {body}: {status} {answer!r}")
    check(api_json(home, "/api/v1/rules") == before, "the rules are as they were")
    status, _, answer = page.bearer(token, "PUT", "/api/v1/rules", json.dumps({"yaml": before["yaml"] + "\n"}).encode())
    check(status == 200, f"good rules: {status} {answer!r}")
    home.run("login", "--quiet")
    events = api_json(home, "/api/v1/events")["events"]
    check(any(e["what"] == "rules replaced" and e["who"] == "ops" and e["address"] == "127.0.0.1" for e in events), f"the rules were replaced, the events say {events}")
    check({e["who"] for e in events if e["what"] == "sign-in address made"} == {f"uid:{os.getuid()}"}, f"who asked for an address: {events}")
    home.stop(page.up)


@faults("X4")
def test_brute_force(home):
    """Guessing is slowed down per address, with Retry-After, is in the events, and locks nobody else out."""
    page = Page(home)
    answers = [page.ask("GET", f"/signin?token=guess{n}", address="127.0.0.9")[0] for n in range(60)]
    check(set(answers) <= {401, 429} and 429 in answers, f"answers: {sorted(set(answers))}")
    check(answers.count(401) <= 12, f"{answers.count(401)} of 60 guesses were looked at")
    status, headers, _ = page.ask("GET", "/signin?token=guess", address="127.0.0.9")
    check(status == 429 and int(headers["retry-after"]) >= 1, f"{status} {headers}")
    events = api(home, "/api/v1/events")[1].decode()
    check("fail" in events.lower() or "refused" in events.lower(), f"the events do not show it: {events[:500]}")
    check(session(page), "another address signs in")
    home.stop(page.up)


@faults("X10")
def test_secrets_and_modes(home):
    """Tokens stand in no log, no file in plain text, no process list; files 0600, folders 0700, also with umask 0."""
    os.umask(0)
    try:
        page = Page(home)
        token = page.token("secret-holder", "admin")
        cookie = session(page)
        secret = cookie.split(";")[0].split("=", 1)[1]
        page.bearer(token, "GET", "/api/v1/status")
        page.ask("GET", f"/api/v1/status?token={token}")
        page.bearer(token + "x", "GET", "/api/v1/status")
        one_time = home.run("login", "--quiet").stdout.decode().strip().split("token=")[1]
        command_line = read(f"/proc/{page.up.pid}/cmdline")
        found = []
        home.stop(page.up)
    finally:
        os.umask(0o022)
    log = home.up_log().encode()
    for what, text in (("token", token), ("session", secret), ("one-time address", one_time)):
        check(text.encode() not in command_line, f"the {what} is in the process list")
        check(text.encode() not in log, f"the {what} is in the program's log")
        for folder, _, names in os.walk(home.data):
            found += [f"{what} in {n}" for n in names if stat.S_ISREG(os.lstat(os.path.join(folder, n)).st_mode) and text.encode() in read(os.path.join(folder, n))]
    check(not found, f"in plain text: {found}")
    key = os.path.join(home.root, "agent.key")
    wrong = [p for p in [key] if os.stat(p).st_mode & 0o077]
    for folder, folders, names in os.walk(home.data):
        wrong += [os.path.join(folder, n) for n in names + folders if os.lstat(os.path.join(folder, n)).st_mode & 0o077]
    check(not wrong and not os.stat(home.data).st_mode & 0o077, f"readable by others: {wrong}")


@faults("Q1")
def test_idle_connections(home):
    """10,000 idle and half-sent connections (as many as this machine allows): collecting and signing in go on, the limits hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    page = Page(home)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))   # of this side only
    idle = []
    for n in range(min(10_000, hard - 500)):
        s = socket.socket()
        s.settimeout(30)
        try:
            s.bind((f"127.0.0.{n % 200 + 2}", 0))
            s.connect(("127.0.0.1", page.port))
            if n % 2:
                s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            idle.append(s)
        except OSError:
            s.close()
    append(home.log("a.log"), b"2026-11-20 10:00:01 INFO in spite of idle connections\n")
    wait_lines(home, 2)
    check(page.ask("GET", "/healthz")[0] == 200, "a new connection is served")
    check(session(page), "signing in works")
    descriptors = len(os.listdir(f"/proc/{page.up.pid}/fd"))
    check(descriptors < 1200, f"{descriptors} descriptors")
    for s in idle:
        s.close()
    home.stop(page.up)


def memory_of(process, what):
    return int([line for line in open(f"/proc/{process.pid}/status") if line.startswith(what)][0].split()[1])


@faults("Q1")
def test_bodies_that_do_not_come(home):
    """400 requests that say 1 MB each and send a byte: the memory follows what came, and others are served."""
    page = Page(home)
    token = page.token("v", "viewer")
    before = memory_of(page.up, "VmRSS")
    head = f"POST /api/v1/search HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000000\r\n\r\n{{"
    open_ones = []
    for _ in range(400):
        s = socket.create_connection(("127.0.0.1", page.port), timeout=60)
        s.sendall(head.encode())
        open_ones.append(s)
    check(page.bearer(token, "GET", "/api/v1/search?limit=1")[0] == 200, "others are served")
    grown = memory_of(page.up, "VmRSS") - before
    check(grown < 100_000, f"{grown} kB for 400 bytes")
    for s in open_ones:
        s.close()
    home.stop(page.up)


@faults("Q2", "B33", "B21", "B22")
def test_greedy_queries(home):
    """Evil expressions, huge and deep queries, clients that stop reading or go away: each is bounded, collecting goes on."""
    home.run("generate", os.path.join(home.logs, "more"), "--format", "app", "--bytes", "3MB", "--quiet")
    page = Page(home)
    token = page.token("v", "viewer")
    home.wait_until(home.caught_up, "all is stored")
    evil = ["/(a+)+$/", "/^(a|b)*$/", "/(.*)(.*)(.*)(.*)(.*)x{100}/", "/((x{100}){100}){100}/", "/" + "|".join(f"word{n}" for n in range(5000)) + "/",
            "(" * 5000, "(" * 90 + "a" + ")" * 90, "NOT " * 900 + "a", "*", "**" * 200, "", "\"", "a" * 60_000, "x OR " * 2000 + "x", "f:~\"(\"", "level:>=", "[a TO",
            "\x00\x01", "status:[1 TO 2", "a:" * 500]
    for query in evil:
        body = json.dumps({"q": query, "limit": 1}).encode()
        status, _, answer = page.bearer(token, "POST", "/api/v1/search", body)
        check(status in (200, 400, 413), f"{query[:40]!r}: {status} {answer[:200]!r}")
        if status == 200:
            check(b'"type":"done"' in answer.replace(b" ", b""), f"{query[:40]!r}: the answer has no end")
    status = page.bearer(token, "POST", "/api/v1/search", b'{"q": "' + b"a" * 1_000_000 + b'"}')[0]
    check(status in (400, 413), f"a query of 1 MB: {status}")
    stalled = []
    for n in range(6):  # clients that ask for everything and do not read
        s = socket.create_connection(("127.0.0.1", page.port), timeout=60)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(f"GET /api/v1/search?limit=all HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        stalled.append(s)
    before = home.count()
    append(home.log("a.log"), b"2026-11-20 10:00:01 INFO in spite of greedy clients\n")
    wait_lines(home, before + 1)
    check(page.bearer(token, "GET", "/api/v1/search?limit=1&q=hello")[0] in (200, 429, 503), "others are answered")
    for s in stalled:
        s.close()
    home.wait_until(lambda: page.bearer(token, "GET", "/api/v1/search?limit=1&q=hello")[0] == 200, "closed connections give their place back")
    peak = int([line for line in open(f"/proc/{page.up.pid}/status") if line.startswith("VmHWM")][0].split()[1])
    check(peak < 500_000, f"{peak} kB at its peak")
    home.stop(page.up)


@faults("Q3")
def test_stopped_under_load(home):
    """SIGTERM while files grow and clients read: exit status 0, what is in flight is committed or read again; nothing missing, nothing twice."""
    lines = [Lines(f"w{n}") for n in range(3)]
    ending = threading.Event()

    def grow(n):
        while not ending.is_set():
            append(home.log(f"w{n}.log"), lines[n].next(20))
            ending.wait(0.03)

    threads = [threading.Thread(target=grow, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    try:
        for _ in range(2):
            up = home.start(home.logs)
            follower = subprocess.Popen([home.binary, "--data", home.data, "follow"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=home.env)
            home.wait_until(lambda: home.count() > 0, "lines come")
            began = time.monotonic()
            home.stop(up)
            took = time.monotonic() - began
            follower.kill()
            follower.wait()
            check(took < 30, f"stopping took {took:.1f} s")
    finally:
        ending.set()
        for t in threads:
            t.join()
    up = home.start(home.logs)
    made = [line for one in lines for line in one.made]
    wait_lines(home, len(made))
    home.wait_until(home.caught_up, "everything is durable")
    home.stop(up)
    oracle(home, made, [b"".join(one.made) for one in lines])


@faults("B28", "B29")
def test_broken_requests(home):
    """Requests that are wrong in every way: a 4xx or a closed connection, no file access, the next request is served."""
    page = Page(home)
    h = b"Host: 127.0.0.1\r\n"
    broken = [b"GET /../../etc/passwd HTTP/1.1\r\n" + h, b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + h, b"GET //etc/passwd HTTP/1.1\r\n" + h,
              b"GET http://evil/ HTTP/1.1\r\n" + h, b"FOO / HTTP/1.1\r\n" + h, b"GET / HTTP/9.9\r\n" + h, b"GET /\x00 HTTP/1.1\r\n" + h, b"\x16\x03\x01\x02\x00\x01\x00",
              b"POST /api/v1/search HTTP/1.1\r\n" + h + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0",
              b"POST /api/v1/search HTTP/1.1\r\n" + h + b"Content-Length: -1\r\n", b"POST /api/v1/search HTTP/1.1\r\n" + h + b"Content-Length: 99999999999999999999\r\n",
              b"POST /api/v1/search HTTP/1.1\r\n" + h + b"Content-Length: 5\r\nContent-Length: 6\r\n",
              b"POST /api/v1/search HTTP/1.1\r\n" + h + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabcde",
              b"GET / HTTP/1.1\r\n" + h + b"".join(b"X-%d: y\r\n" % n for n in range(2000)), b"GET / HTTP/1.1\r\n" + h + b"X: " + b"y" * 200_000 + b"\r\n",
              b"GET / HTTP/1.1\r\n" + h + h, b"GET / HTTP/1.1\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + h, b"GET / HTTP/1.1\r\n" + h + b" folded: x\r\n"]
    for raw in broken:
        s = socket.create_connection(("127.0.0.1", page.port), timeout=60)
        try:
            s.sendall(raw + b"\r\n")
            s.shutdown(socket.SHUT_WR)
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        except (ConnectionError, BrokenPipeError):
            data = b""
        s.close()
        status = int(data.split(b" ")[1]) if data.startswith(b"HTTP/") else 0
        check(status == 0 or 300 <= status < 506, f"{raw[:60]!r}: {data[:200]!r}")
        check(b"root:" not in data, f"{raw[:60]!r} reads a file")
    check(page.ask("GET", "/healthz")[0] == 200, "the next request is served")
    home.stop(page.up)
