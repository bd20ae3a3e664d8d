#!/usr/bin/env python3
"""A real etcd on loopback for the tests, from Debian's package, unpacked once outside the checkout and never installed: no service starts.

usage: etcd.py fetch      gets what is missing (the set-up of `make test`)
       etcd.py path       prints where the server lies; exit status 1 when there is none
"""
import base64
import json
import os
import shutil
import ssl
import urllib.error
import urllib.request

from debian import Packages, Server, opener

PACKAGES = Packages("etcd", ["etcd-server"], ["etcd"])
missing = PACKAGES.missing


def b64(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class Etcd(Server):
    """One member; its ports stay the same over restarts. `token` of another cluster makes another cluster id."""

    def __init__(self, root, ports, token="logboom-tests"):
        super().__init__(root)
        self.token = token
        self.port, self.peer_port = ports
        self.url = f"http://127.0.0.1:{self.port}"
        self.certificates = None  # the folder of make_certificates(), with TLS
        self.name, self.members = "one", None  # of a cluster: the peer URLs of all, by name
        self.also_on = []  # further addresses of this machine it listens on
        self.login = None

    @staticmethod
    def cluster(root, ports):
        """A member for each pair of ports; all have to be started before one is ready."""
        members = [Etcd(os.path.join(root, f"etcd-{n}"), pair) for n, pair in enumerate(ports)]
        for n, member in enumerate(members):
            member.name, member.members = f"member-{n}", {f"member-{k}": f"http://127.0.0.1:{pair[1]}" for k, pair in enumerate(ports)}
        return members

    def guarded(self, certificates):
        """TLS, and clients show a certificate of the authority in that folder (make_certificates)."""
        self.certificates, self.url = certificates, f"https://127.0.0.1:{self.port}"
        return self

    def command(self):
        peer = f"http://127.0.0.1:{self.peer_port}"
        cluster = ",".join(f"{name}={url}" for name, url in (self.members or {self.name: peer}).items())
        words = [PACKAGES.program("etcd"), "--name", self.name, "--data-dir", os.path.join(self.root, "data"),
                 "--listen-client-urls", ",".join([self.url, *(f"http://{host}:{self.port}" for host in self.also_on)]),
                 "--advertise-client-urls", self.url, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", cluster, "--initial-cluster-token", self.token, "--logger", "zap"]
        if self.certificates:
            words += ["--cert-file", f"{self.certificates}/node.pem", "--key-file", f"{self.certificates}/node.key", "--client-cert-auth",
                      "--trusted-ca-file", f"{self.certificates}/ca.pem"]
        return words

    def opener(self):
        if not self.certificates:
            return opener()
        context = ssl.create_default_context(cafile=f"{self.certificates}/ca.pem")
        context.load_cert_chain(f"{self.certificates}/node.pem", f"{self.certificates}/node.key")
        return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def ready(self):
        try:
            with self.opener().open(self.url + "/health", timeout=2) as answer:
                return json.load(answer).get("health") == "true"
        except (OSError, ValueError):
            return False

    def wipe(self):
        """What a lost disk leaves; the member must be stopped."""
        shutil.rmtree(os.path.join(self.root, "data"))

    def call(self, path, body):
        """One request to the JSON gateway."""
        headers = {"Content-Type": "application/json"}
        if self.login:
            headers["Authorization"] = self.login
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        try:
            with self.opener().open(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.code} {error.read().decode(errors='replace')}") from error

    def put(self, key, value):
        return self.call("/v3/kv/put", {"key": b64(key), "value": b64(value if isinstance(value, (str, bytes)) else json.dumps(value))})

    def get(self, key):
        rows = self.call("/v3/kv/range", {"key": b64(key)}).get("kvs", [])
        return base64.b64decode(rows[0].get("value", "")).decode() if rows else None

    def keys(self, prefix):
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = self.call("/v3/kv/range", {"key": b64(prefix), "range_end": b64(end), "keys_only": True}).get("kvs", [])
        return [base64.b64decode(row["key"]).decode(errors="replace") for row in rows]

    def delete(self, key):
        return self.call("/v3/kv/deleterange", {"key": b64(key)})

    def revision(self):
        return int(self.call("/v3/kv/range", {"key": b64("x"), "count_only": True})["header"]["revision"])

    def compact(self):
        self.call("/v3/kv/compaction", {"revision": str(self.revision()), "physical": True})

    def require_login(self, user, password):
        """Turns authentication on: a root user of the tests' own, and `user`, who may read and write everything."""
        for name, word in (("root", "root"), (user, password)):
            self.call("/v3/auth/user/add", {"name": name, "password": word})
            self.call("/v3/auth/role/add", {"name": name})
            self.call("/v3/auth/role/grant", {"name": name, "perm": {"permType": 2, "key": b64("\0"), "range_end": b64("\0")}})
            self.call("/v3/auth/user/grant", {"user": name, "role": name})
        self.call("/v3/auth/enable", {})
        self.login = self.call("/v3/auth/authenticate", {"name": "root", "password": "root"})["token"]


if __name__ == "__main__":
    PACKAGES.main(__doc__)
