#!/usr/bin/env python3
"""Real Kafka brokers on loopback for the tests: the usual one (KRaft), and with `--long` tests an older one with its ZooKeeper. Their jars come from
Maven Central once and are kept outside the checkout.

usage: kafka.py fetch [all]     gets what is missing (the set-up of `make test`; all: of `make test-long`)
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from certificates import make_certificates
from maven import copy_jars_of

ROOT = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "logboom-servers")
JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
# 22 characters of base64url: the cluster's id.
CLUSTER = "bG9nYm9vbS10ZXN0cy0wMQ"


class Distribution:
    """One version with everything it needs to run, as Maven resolves it."""

    def __init__(self, version, *parts):
        self.version, self.parts = version, [f"org.apache.kafka:kafka_2.13:{version}", *parts]
        self.libs = os.path.join(ROOT, f"kafka-{version}", "libs")

    def missing(self):
        """Why no broker can be started; empty when one can."""
        if shutil.which("java") is None:
            return "java is not installed (openjdk-17-jre-headless)"
        if not os.path.isdir(self.libs):
            return f"Kafka {self.version} is not in {os.path.dirname(self.libs)}: run `python3 tests/servers/kafka.py fetch{'' if self is DEFAULT else ' all'}`"
        return ""

    def fetch(self):
        if os.path.isdir(self.libs):
            return
        os.makedirs(ROOT, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT) as work:
            copy_jars_of("kafka", self.parts, work)
            os.makedirs(os.path.dirname(self.libs), exist_ok=True)
            os.rename(os.path.join(work, "libs"), self.libs)

    def class_path(self):
        return ":".join(os.path.join(self.libs, jar) for jar in sorted(os.listdir(self.libs)))


DEFAULT = Distribution("4.3.1", "org.slf4j:slf4j-simple:1.7.36")
# The last that runs with ZooKeeper, which it brings, and its own logging.
WITH_ZOOKEEPER = Distribution("3.9.2", "org.apache.kafka:kafka-tools:3.9.2")
missing, fetch = DEFAULT.missing, DEFAULT.fetch


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Broker:
    """One broker that is its own controller; its port stays the same over restarts. `settings` are further lines of server.properties."""

    distribution = DEFAULT
    authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"

    def __init__(self, root, settings=(), node=1):
        self.root, self.node = root, node
        os.makedirs(root, exist_ok=True)
        self.port, self.controller = free_ports(2)
        self.address = f"127.0.0.1:{self.port}"
        self.properties = os.path.join(root, "server.properties")
        self.process = None
        self.write([*self.role(), f"log.dirs={os.path.join(self.root, 'data')}",
                    "offsets.topic.replication.factor=1", "offsets.topic.num.partitions=1", "transaction.state.log.replication.factor=1",
                    "transaction.state.log.min.isr=1", "transaction.state.log.num.partitions=1", "num.partitions=3",
                    "group.initial.rebalance.delay.ms=0", "log.cleaner.dedupe.buffer.size=4194304", "log.segment.delete.delay.ms=1000", *settings])
        self.listen([])
        self.format()

    def role(self):
        return ["process.roles=broker,controller", f"node.id={self.node}", f"controller.quorum.voters={self.voter()}",
                "controller.listener.names=CONTROLLER", "share.coordinator.state.topic.replication.factor=1",
                "share.coordinator.state.topic.min.isr=1", "share.coordinator.state.topic.num.partitions=1",
                "broker.heartbeat.interval.ms=200", "broker.session.timeout.ms=1000"]

    def format(self):
        self.run("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.properties, "--ignore-formatted")

    def voter(self):
        return f"{self.node}@127.0.0.1:{self.controller}"

    def hidden(self):
        """Listeners that no client uses."""
        return [("CONTROLLER", "PLAINTEXT", f"127.0.0.1:{self.controller}")]

    def listen(self, more):
        """Listeners for clients beside the open one: (name, protocol, address)."""
        ours = [("PLAINTEXT", "PLAINTEXT", self.address), *more]
        everything = [*ours, *self.hidden()]
        self.write(["listeners=" + ",".join(f"{name}://{address}" for name, _, address in everything),
                    "advertised.listeners=" + ",".join(f"{name}://{address}" for name, _, address in ours),
                    "listener.security.protocol.map=" + ",".join(f"{name}:{protocol}" for name, protocol, _ in everything),
                    "inter.broker.listener.name=PLAINTEXT"])

    def signed_in(self, mechanisms=("PLAIN",)):
        """Further listeners, for users whose rights are looked at; the first stays open to everybody. Their addresses are `self.guarded` and, over
        TLS with the authority `self.ca`, `self.encrypted`. Users of PLAIN: agent (password agent-secret), admin; of SCRAM: made with admin("user")."""
        self.guarded, self.encrypted = (f"127.0.0.1:{port}" for port in free_ports(2))
        self.listen([("SASL_PLAINTEXT", "SASL_PLAINTEXT", self.guarded), ("SASL_SSL", "SASL_SSL", self.encrypted)])
        users = "PlainLoginModule required username=\"admin\" password=\"admin-secret\" user_admin=\"admin-secret\" user_agent=\"agent-secret\";"
        for mechanism in mechanisms:
            module = f"plain.{users}" if mechanism == "PLAIN" else "scram.ScramLoginModule required;"
            self.write([f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config=org.apache.kafka.common.security.{module}"
                        for listener in ("sasl_plaintext", "sasl_ssl")])
        make_certificates(self.root)
        self.ca, both = os.path.join(self.root, "ca.pem"), os.path.join(self.root, "both.pem")
        with open(both, "w") as f:
            for name in ("node.key", "node.pem"):
                with open(os.path.join(self.root, name)) as part:
                    f.write(part.read())
        self.write(["sasl.enabled.mechanisms=" + ",".join(mechanisms), "listener.name.sasl_ssl.ssl.keystore.type=PEM",
                    f"listener.name.sasl_ssl.ssl.keystore.location={both}", f"authorizer.class.name={self.authorizer}",
                    "super.users=User:admin;User:ANONYMOUS"])
        return self

    def also_on(self, *hosts):
        """A listener on each of these addresses of this machine, for clients in other namespaces: `self.at[host]`."""
        self.at = {host: f"{host}:{port}" for host, port in zip(hosts, free_ports(len(hosts)))}
        self.listen([(f"H{n}", "PLAINTEXT", address) for n, address in enumerate(self.at.values())])
        return self

    def write(self, settings):
        """Further lines of server.properties, which win over those before them."""
        with open(self.properties, "a") as f:
            f.write("\n".join(settings) + "\n")

    def run(self, main, *words):
        done = subprocess.run(["java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", self.distribution.class_path(), main, *words], capture_output=True, timeout=180)
        if done.returncode != 0:
            raise RuntimeError(f"{main} failed: {done.stderr.decode(errors='replace')[-2000:]}")

    def start(self, seconds=180):
        self.launch()
        self.wait(seconds)

    def launch(self):
        self.process = self.launched("kafka.Kafka", self.properties)

    def launched(self, main, *words):
        with open(os.path.join(self.root, "kafka.log"), "ab") as log:
            return subprocess.Popen([*JAVA, *self.logging(), "-cp", self.distribution.class_path(), main, *words], stdout=log, stderr=log,
                                    cwd=self.root, start_new_session=True)

    def logging(self):
        return ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]

    def wait(self, seconds=180):
        end = time.monotonic() + seconds
        while not listens(self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Kafka does not start:\n{self.said()[-2000:]}")
            time.sleep(0.1)

    def processes(self):
        return [self.process]

    def admin(self, command, topic, *words, stdin=b""):
        """`create`, `renew` (delete and make again) and `partitions` (each with a count), `delete`, `truncate`, `config` (NAME=VALUE ...), `allow` (user, operations), `user` (its name
        in the topic's place, mechanism of SCRAM, password), `read`, `ends`, `say` (lines of stdin), `transaction` (`commit` or
        `abort`; lines of stdin), `tombstones` (count), `topics`; the answer's lines."""
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "KafkaAdmin.java")
        done = subprocess.run(["java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
                               self.distribution.class_path(), source,
                               self.address, command, topic, *map(str, words)], input=stdin, capture_output=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"{command} {topic} failed: {done.stderr.decode(errors='replace')[-2000:]}")
        return done.stdout.decode().splitlines()

    def has(self, topic):
        return topic in self.admin("topics", "")

    def said(self):
        with open(os.path.join(self.root, "kafka.log"), errors="replace") as f:
            return f.read()

    def stop(self, how=signal.SIGKILL):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(timeout=30)


class BrokerOfZooKeeper(Broker):
    """One broker of the last version that runs with ZooKeeper, which is started with it and outlives it when it is killed."""

    distribution = WITH_ZOOKEEPER
    authorizer = "kafka.security.authorizer.AclAuthorizer"
    zookeeper = None

    def role(self):
        return [f"broker.id={self.node}", f"zookeeper.connect=127.0.0.1:{self.controller}", "zookeeper.session.timeout.ms=2000"]

    def hidden(self):
        return []

    def format(self):
        with open(os.path.join(self.root, "log4j.properties"), "w") as f:
            f.write("log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.layout=org.apache.log4j.SimpleLayout\n")
        with open(os.path.join(self.root, "zoo.cfg"), "w") as f:
            f.write(f"tickTime=500\ndataDir={os.path.join(self.root, 'zookeeper')}\nclientPort={self.controller}\nclientPortAddress=127.0.0.1\n"
                    "admin.enableServer=false\n")

    def logging(self):
        return [f"-Dlog4j.configuration=file:{os.path.join(self.root, 'log4j.properties')}"]

    def launch(self):
        if self.zookeeper is None:
            self.zookeeper = self.launched("org.apache.zookeeper.server.quorum.QuorumPeerMain", os.path.join(self.root, "zoo.cfg"))
        super().launch()

    def start(self, seconds=180):
        end = time.monotonic() + seconds
        while True:
            self.launch()
            try:
                return self.wait(seconds)
            except RuntimeError:
                # Until its session is over, the broker that was killed counts as running.
                if "NodeExists" not in self.said()[-2000:] or time.monotonic() > end:
                    raise

    def processes(self):
        return [self.process, self.zookeeper]


class Cluster:
    """Brokers that are controllers, too: whatever is written is on all of them, and taken when two have it. `address`: all of theirs."""

    def __init__(self, root, count=3):
        shared = ["default.replication.factor=3", "min.insync.replicas=2", "offsets.topic.replication.factor=3"]
        self.brokers = [Broker(os.path.join(root, str(n)), shared, n) for n in range(1, count + 1)]
        voters = ",".join(broker.voter() for broker in self.brokers)
        for broker in self.brokers:
            broker.write([f"controller.quorum.voters={voters}"])
        self.address = ",".join(broker.address for broker in self.brokers)
        self.admin = self.brokers[0].admin

    def start(self):
        for broker in self.brokers:  # one alone elects nobody
            broker.launch()
        for broker in self.brokers:
            broker.wait()


if __name__ == "__main__":
    if sys.argv[1:] not in (["fetch"], ["fetch", "all"]):
        sys.exit(__doc__)
    for wanted in [DEFAULT, WITH_ZOOKEEPER][:len(sys.argv) - 1]:
        wanted.fetch()
