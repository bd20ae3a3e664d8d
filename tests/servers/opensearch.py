#!/usr/bin/env python3
"""A real OpenSearch node on loopback for the tests. Its jars come from Maven Central once and are kept outside the checkout, with a small
launcher that is compiled beside them.

usage: opensearch.py fetch     gets what is missing (the set-up of `make test`)
       opensearch.py fetch all | opensearch-1.3.14 ...   other versions, and Elasticsearch (the set-up of `make test-long`)
       opensearch.py run       starts one in a temporary folder until Ctrl-C, and prints its URL
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kafka import free_ports
from maven import copy_jars_of

ROOT = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "logboom-servers")




def compile_into(compiler, libs, source, jar):
    """The classes of one source, packed."""
    classes = jar + ".classes"
    subprocess.run([*compiler, "-nowarn", "-cp", ":".join(libs), "-d", classes, source], check=True)
    subprocess.run(["jar", "cf", jar, "-C", classes, "."], check=True)


class Distribution:
    """A server with its parts in Maven Central. `package` is where its classes lie, `script` what fetches it."""

    def __init__(self, name, version, package, parts, script=""):
        self.name, self.version, self.package, self.parts = name, version, package, parts
        self.script = script or f"opensearch.py fetch {name}-{version}"
        self.cache = os.path.join(ROOT, f"{name}-{version}")
        self.launcher = os.path.join(self.cache, "launcher.jar")

    def missing(self):
        """Why no node can be started; empty when one can."""
        if shutil.which("java") is None:
            return "java is not installed (openjdk-17-jdk-headless)"
        if not os.path.isfile(self.launcher):
            return f"{self.name} {self.version} is not in {self.cache}: run `python3 tests/servers/{self.script}`"
        return ""

    def libs(self, root=None):
        folder = os.path.join(root or self.cache, "libs")
        return [os.path.join(folder, jar) for jar in sorted(os.listdir(folder))]

    def class_path(self):
        return ":".join([self.launcher, *self.libs()])

    def fetch(self):
        if os.path.isfile(self.launcher):
            return
        os.makedirs(ROOT, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT) as work:
            copy_jars_of(self.name, self.parts, work)
            folders = self.build(work)
            shutil.rmtree(self.cache, ignore_errors=True)
            os.makedirs(self.cache)
            for folder in [*folders, os.path.join(work, "launcher.jar")]:  # the launcher last: with it all is there
                os.rename(folder, os.path.join(self.cache, os.path.basename(folder)))

    def build(self, work):
        """Makes launcher.jar of what lies in libs; the folders that belong beside it."""
        source = os.path.join(work, "TestNode.java")
        with open(source, "w") as f:
            f.write(self.source())
        compile_into(["javac"], self.libs(work), source, os.path.join(work, "launcher.jar"))
        return [os.path.join(work, "libs")]

    def source(self):
        return LAUNCHER.replace("org.opensearch", self.package)

    def command(self, root, share):
        """Starts a node whose folder is `root`."""
        return [*JAVA, *share, "-cp", self.class_path(), "TestNode", root]


def of_opensearch(version, log4j):
    plugin = "org.opensearch.plugin"
    return Distribution("opensearch", version, "org.opensearch",
                        [f"org.opensearch:opensearch:{version}", f"{plugin}:transport-netty4-client:{version}", f"{plugin}:analysis-common:{version}",
                         f"{plugin}:mapper-extras-client:{version}", f"{plugin}:reindex-client:{version}", f"org.apache.logging.log4j:log4j-core:{log4j}"])


def of_elasticsearch_7(version, log4j):
    plugin = "org.elasticsearch.plugin"
    return Distribution("elasticsearch", version, "org.elasticsearch",
                        [f"org.elasticsearch:elasticsearch:{version}", f"{plugin}:transport-netty4-client:{version}",
                         f"org.codelibs.elasticsearch.module:analysis-common:{version}", f"{plugin}:mapper-extras-client:{version}",
                         f"{plugin}:reindex-client:{version}", f"org.apache.logging.log4j:log4j-core:{log4j}"])


DEFAULT = of_opensearch("2.19.4", "2.21.0")
OTHERS = [of_opensearch("1.3.14", "2.17.1"), of_elasticsearch_7("7.10.2", "2.11.1")]
# A node with the plugins the tests need, ended by SIGTERM.
LAUNCHER = """import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

public final class TestNode extends Node {
  private TestNode(Environment environment, List<Class<? extends Plugin>> plugins) {
    super(environment, plugins, true);
  }

  public static void main(String[] words) throws Exception {
    Path home = Path.of(words[0]);
    Settings settings = Settings.builder().put("path.home", home.toString()).build();
    Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "test");
    TestNode node = new TestNode(environment, List.of(org.opensearch.transport.Netty4Plugin.class,
        org.opensearch.analysis.common.CommonAnalysisPlugin.class, org.opensearch.index.mapper.MapperExtrasPlugin.class,
        org.opensearch.index.reindex.ReindexPlugin.class));
    node.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (java.io.IOException error) {
        error.printStackTrace();
      }
    }));
    Thread.currentThread().join();
  }
}
"""
JAVA = ["java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.disable.jmx=true", "-Xshare:auto"]


def missing():
    """Why no node of the usual distribution can be started; empty when one can."""
    return DEFAULT.missing()


class Node:
    """One node that is a cluster; its port stays the same over restarts. `settings` are further lines of its configuration."""

    def __init__(self, root, settings=(), distribution=DEFAULT):
        self.root, self.distribution = root, distribution
        os.makedirs(os.path.join(root, "config"), exist_ok=True)
        self.port, transport = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        lines = ["cluster.name: logboom-tests", "node.name: one", "network.host: 127.0.0.1", f"http.port: {self.port}",
                 f"transport.port: {transport}", "discovery.type: single-node", "http.type: netty4", "transport.type: netty4",
                 f"path.data: {os.path.join(root, 'data')}", f"path.logs: {root}", "cluster.routing.allocation.disk.threshold_enabled: false"]
        with open(os.path.join(root, "config", f"{distribution.name}.yml"), "w") as f:
            f.write("\n".join([*lines, *settings]) + "\n")

    def start(self, seconds=300):
        """The first start on a machine also writes the archive of classes that makes the later ones faster."""
        archive = os.path.join(self.distribution.cache, "classes.jsa")
        share = [f"-XX:SharedArchiveFile={archive}"] if os.path.isfile(archive) else []
        log = open(os.path.join(self.root, "node.log"), "ab")
        self.process = subprocess.Popen(self.distribution.command(self.root, share), stdout=log, stderr=log, cwd=self.root, start_new_session=True)
        log.close()
        end = time.monotonic() + seconds
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.distribution.name} does not start:\n{self.said()[-3000:]}")
            time.sleep(0.1)

    def answers(self):
        try:
            return self.ask("GET", "/_cluster/health")["status"] in ("green", "yellow")
        except (OSError, ValueError):
            return False

    def ask(self, method, path, body=None, lines=None):
        """The answer's JSON. `lines`: a body of NDJSON."""
        data = json.dumps(body).encode() if body is not None else None
        if lines is not None:
            data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        kind = "application/x-ndjson" if lines is not None else "application/json"
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def read(self, method, path, body=None):
        """As ask(), waiting for the shards of an index that was made a moment ago (503)."""
        for _ in range(600):
            try:
                return self.ask(method, path, body)
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
                time.sleep(0.1)
        return self.ask(method, path, body)

    def count(self, index, query=None):
        self.read("POST", f"/{index}/_refresh")
        return self.read("POST", f"/{index}/_count", {"query": query or {"match_all": {}}})["count"]

    def documents(self, index):
        """_id > _source of everything in the index."""
        self.read("POST", f"/{index}/_refresh")
        found, after = {}, None
        while True:
            body = {"size": 5000, "sort": [{"logboom.source": "asc"}, {"logboom.epoch": "asc"}, {"log.offset": "asc"}, {"logboom.channel": "asc"}]}
            if after:
                body["search_after"] = after
            hits = self.read("POST", f"/{index}/_search", body)["hits"]["hits"]
            for hit in hits:
                found[hit["_index"] + "/" + hit["_id"]] = hit["_source"]
            if not hits:
                return found
            after = hits[-1]["sort"]

    def said(self):
        with open(os.path.join(self.root, "node.log"), errors="replace") as f:
            return f.read()

    def stop(self, how=signal.SIGKILL):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(timeout=60)


def text_of(document):
    """The exact bytes of a document's line."""
    raw = document.get("logboom.raw")
    return base64.b64decode(raw) if raw is not None else document["message"].encode()


def archive_classes():
    """Makes the archive of classes by one start and clean stop."""
    archive = os.path.join(DEFAULT.cache, "classes.jsa")
    if os.path.isfile(archive):
        return
    with tempfile.TemporaryDirectory() as root:
        JAVA.append(f"-XX:ArchiveClassesAtExit={archive}.part")
        node = Node(root)
        try:
            node.start()
        finally:
            node.stop(signal.SIGTERM)
    if os.path.isfile(archive + ".part"):
        os.rename(archive + ".part", archive)


def run():
    with tempfile.TemporaryDirectory() as root:
        node = Node(root)
        node.start()
        print(node.url, flush=True)
        try:
            node.process.wait()
        except KeyboardInterrupt:
            node.stop(signal.SIGTERM)


if __name__ == "__main__":
    if sys.argv[1:] == ["fetch"]:
        DEFAULT.fetch()
        archive_classes()
    elif sys.argv[1:2] == ["fetch"]:
        for each in OTHERS:
            if f"{each.name}-{each.version}" in sys.argv[2:] or sys.argv[2:] == ["all"]:
                each.fetch()
    elif sys.argv[1:] == ["run"]:
        run()
    else:
        sys.exit(__doc__)
