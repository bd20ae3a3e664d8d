#!/usr/bin/env python3
"""A real InfluxDB 1.x on loopback for the tests, and its client, from Debian's packages, unpacked once outside the checkout and never installed: no
service starts.

usage: influxdb.py fetch      gets what is missing (the set-up of `make test`)
       influxdb.py path       prints where the server lies; exit status 1 when there is none
       influxdb.py run DIR    runs one with its data in DIR until it is interrupted; prints its address
"""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

PACKAGES = ("influxdb", "influxdb-client")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "logboom-servers", "influxdb")


def found(name):
    """The program of the cache, else an installed one; empty when there is none."""
    path = os.path.join(CACHE, "usr", "bin", name)
    return path if os.access(path, os.X_OK) else shutil.which(name) or ""


def binary():
    return found("influxd")


def client():
    return found("influx")


def missing():
    """Why no InfluxDB can be started, or not be asked by its client; empty when both are there."""
    return "" if binary() and client() else f"InfluxDB or its client is not in {CACHE}: run `python3 tests/servers/influxdb.py fetch`"


def fetch():
    if binary() and client():
        return
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(CACHE)) as work:
        subprocess.run(["apt-get", "download", "-q", "-q", "-o", "APT::Sandbox::User=root", *PACKAGES], cwd=work, check=True)
        for package in glob.glob(os.path.join(work, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, CACHE], check=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Influx:
    """One server; its port stays the same over restarts. `login` (user, password): it asks for it."""

    def __init__(self, root, login=None):
        self.root, self.login = root, login
        self.port, self.inner_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        os.makedirs(root, exist_ok=True)
        with open(os.path.join(root, "influxdb.conf"), "w") as f:
            f.write(f'''reporting-disabled = true
bind-address = "127.0.0.1:{self.inner_port}"
[meta]
dir = "{root}/meta"
[data]
dir = "{root}/data"
wal-dir = "{root}/wal"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{self.port}"
auth-enabled = {"true" if login else "false"}
log-enabled = false
''')

    def start(self, seconds=60):
        with open(os.path.join(self.root, "influxd.log"), "ab") as log:
            self.process = subprocess.Popen([binary(), "run", "-config", os.path.join(self.root, "influxdb.conf")], stdout=log, stderr=log,
                                            start_new_session=True)
        end = time.monotonic() + seconds
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(os.path.join(self.root, "influxd.log"), errors="replace") as f:
                    raise RuntimeError(f"influxd does not start:\n{f.read()[-2000:]}")
            time.sleep(0.05)
        if self.login:
            user, password = self.login
            self.query(f"CREATE USER \"{user}\" WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
        return self.process

    def ready(self):
        try:
            with opener().open(self.url + "/ping", timeout=2) as answer:
                return answer.status == 204
        except OSError:
            return False

    def stop(self, how=signal.SIGKILL):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(timeout=30)

    def query(self, influxql, database=None):
        """All series of the answer, times in nanoseconds."""
        body = {"q": influxql, "epoch": "ns"}
        if database:
            body["db"] = database
        if self.login:
            body["u"], body["p"] = self.login
        request = urllib.request.Request(self.url + "/query", urllib.parse.urlencode(body).encode())
        try:
            with opener().open(request, timeout=60) as answer:
                results = json.load(answer)["results"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{influxql}: {error.code} {error.read().decode(errors='replace')}") from error
        for result in results:
            if "error" in result:
                raise RuntimeError(f"{influxql}: {result['error']}")
        return [series for result in results for series in result.get("series", [])]


def opener():
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def run(root):
    server = Influx(os.path.abspath(root))
    server.start()
    print(server.url, flush=True)
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, lambda *_: server.stop(signal.SIGTERM))
    server.process.wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["fetch"]:
        fetch()
    elif sys.argv[1:] == ["path"]:
        print(binary())
        sys.exit(0 if binary() else 1)
    elif len(sys.argv) == 3 and sys.argv[1] == "run":
        run(sys.argv[2])
    else:
        sys.exit(__doc__)
