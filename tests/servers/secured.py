#!/usr/bin/env python3
"""A real OpenSearch node with its security plugin on loopback: TLS with an authority of its own, users with rights. The plugin comes from Maven
Central once and is kept outside the checkout.

usage: secured.py fetch     gets what is missing (the set-up of `make test-long`)
"""
import base64
import json
import os
import shutil
import ssl
import sys
import urllib.error
import urllib.request
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import opensearch
from certificates import make_certificates
from maven import copy_artifact

PLUGIN = "org.opensearch.plugin:opensearch-security:2.19.4.0:zip"
ADMIN = ("admin", "admin")  # of the plugin's own examples


class Secured(opensearch.Distribution):
    """The usual distribution with the plugin's jars beside its own."""

    def __init__(self):
        super().__init__("opensearch", "2.19.4-secured", "org.opensearch", opensearch.DEFAULT.parts, "secured.py fetch")

    def source(self):
        return super().source().replace("List.of(org.opensearch.transport", "List.of(org.opensearch.security.OpenSearchSecurityPlugin.class, org.opensearch.transport")

    def build(self, work):
        copy_artifact(PLUGIN, work)
        [archive] = [os.path.join(work, name) for name in os.listdir(work) if name.endswith(".zip")]
        libs, config = os.path.join(work, "libs"), os.path.join(work, "security")
        os.mkdir(config)
        with zipfile.ZipFile(archive) as z:
            for name in z.namelist():
                base = os.path.basename(name)
                into = libs if name.endswith(".jar") and "/" not in name else config if name.startswith("config/") and name.endswith(".yml") else None
                if into and not os.path.exists(os.path.join(into, base)):
                    with open(os.path.join(into, base), "wb") as f:
                        f.write(z.read(name))
        return [*super().build(work), config]


DISTRIBUTION = Secured()


class SecuredNode(opensearch.Node):
    """`ca` is the authority of its certificate; questions are asked as the plugin's admin."""

    def __init__(self, root):
        tls = [f"plugins.security.ssl.{layer}.{name}: {value}" for layer in ("transport", "http")
               for name, value in (("pemcert_filepath", "node.pem"), ("pemkey_filepath", "node.key"), ("pemtrustedcas_filepath", "ca.pem"))]
        super().__init__(root, [*tls, "plugins.security.ssl.http.enabled: true", "plugins.security.ssl.transport.enforce_hostname_verification: false",
                                "plugins.security.allow_default_init_securityindex: true", "plugins.security.restapi.roles_enabled: [all_access]",
                                "plugins.security.nodes_dn: ['CN=node']"], DISTRIBUTION)
        config = os.path.join(root, "config")
        settings = os.path.join(config, "opensearch.yml")
        with open(settings) as f:
            lines = [line for line in f if not line.startswith(("http.type", "transport.type"))]
        with open(settings, "w") as f:
            f.writelines(lines)
        shutil.copytree(os.path.join(DISTRIBUTION.cache, "security"), os.path.join(config, "opensearch-security"))
        make_certificates(config)
        self.ca = os.path.join(config, "ca.pem")
        self.url = f"https://127.0.0.1:{self.port}"

    def answers(self):
        try:
            return super().answers()
        except urllib.error.HTTPError:  # the plugin is not ready
            return False

    def ask(self, method, path, body=None, lines=None):
        data = json.dumps(body).encode() if body is not None else None
        login = base64.b64encode(":".join(ADMIN).encode()).decode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={"Content-Type": "application/json", "Authorization": "Basic " + login})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca)))
        with opener.open(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def user(self, name, password, cluster=(), indices=()):
        """A user with these rights: of the cluster, and of indices as (patterns, rights)."""
        rights = {"cluster_permissions": list(cluster), "index_permissions": [{"index_patterns": list(p), "allowed_actions": list(a)} for p, a in indices]}
        self.ask("PUT", f"/_plugins/_security/api/roles/{name}", rights)
        self.ask("PUT", f"/_plugins/_security/api/internalusers/{name}", {"password": password})
        self.ask("PUT", f"/_plugins/_security/api/rolesmapping/{name}", {"users": [name]})


if __name__ == "__main__":
    if sys.argv[1:] != ["fetch"]:
        sys.exit(__doc__)
    DISTRIBUTION.fetch()
