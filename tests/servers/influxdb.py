#!/usr/bin/env python3
"""A real InfluxDB 1.x on loopback for the tests, and its client, from Debian's packages, unpacked once outside the checkout and never installed: no
service starts.

usage: influxdb.py fetch      gets what is missing (the set-up of `make test`)
       influxdb.py path       prints where the server lies; exit status 1 when there is none
       influxdb.py run DIR    runs one with its data in DIR until it is interrupted; prints its address
"""
import json
import os
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request

from debian import Packages, Server, opener
from kafka import free_ports

PACKAGES = Packages("influxdb", ["influxdb", "influxdb-client"], ["influxd", "influx"])
missing = PACKAGES.missing


def client():
    return PACKAGES.program("influx")


class Influx(Server):
    """One server; its port stays the same over restarts. `login` (user, password): it asks for it."""

    def __init__(self, root, login=None):
        super().__init__(root)
        self.login = login
        self.port, self.inner_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
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

    def command(self):
        return [PACKAGES.program("influxd"), "run", "-config", os.path.join(self.root, "influxdb.conf")]

    def start(self, seconds=180):
        super().start(seconds)
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


def run(root):
    server = Influx(os.path.abspath(root))
    server.start()
    print(server.url, flush=True)
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, lambda *_: server.stop(signal.SIGTERM))
    server.process.wait()


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "run":
        run(sys.argv[2])
    else:
        PACKAGES.main(__doc__)
