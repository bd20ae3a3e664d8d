#!/usr/bin/env python3
"""A real Kafka broker (KRaft, one node) on loopback for the tests. Its jars come from Maven Central once and are kept outside the checkout.

usage: kafka.py fetch     gets what is missing (the set-up of `make test`)
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

VERSION = "4.3.1"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "logboom-servers", f"kafka-{VERSION}")
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>logboom.tests</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
"""
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
# 22 characters of base64url: the cluster's id.
CLUSTER = "bG9nYm9vbS10ZXN0cy0wMQ"


def missing():
    """Why no broker can be started; empty when one can."""
    if shutil.which("java") is None:
        return "java is not installed (openjdk-17-jre-headless)"
    if not os.path.isdir(os.path.join(CACHE, "libs")):
        return f"Kafka {VERSION} is not in {CACHE}: run `python3 tests/servers/kafka.py fetch`"
    return ""


def fetch():
    if os.path.isdir(os.path.join(CACHE, "libs")):
        return
    os.makedirs(os.path.dirname(CACHE), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(CACHE)) as work:
        with open(os.path.join(work, "pom.xml"), "w") as f:
            f.write(POM)
        subprocess.run(["mvn", "-q", "-B", "-f", os.path.join(work, "pom.xml"), COPY, "-DincludeScope=runtime",
                        f"-DoutputDirectory={os.path.join(work, 'libs')}"], check=True)
        os.makedirs(CACHE, exist_ok=True)
        os.rename(os.path.join(work, "libs"), os.path.join(CACHE, "libs"))


def class_path():
    libs = os.path.join(CACHE, "libs")
    return ":".join(os.path.join(libs, jar) for jar in sorted(os.listdir(libs)))


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Broker:
    """One broker that is its own controller; its port stays the same over restarts. `settings` are further lines of server.properties."""

    def __init__(self, root, settings=(), node=1):
        self.root, self.node = root, node
        os.makedirs(root, exist_ok=True)
        self.port, self.controller = free_ports(2)
        self.address = f"127.0.0.1:{self.port}"
        self.properties = os.path.join(root, "server.properties")
        self.process = None
        with open(self.properties, "w") as f:
            f.write("\n".join([*self.lines(), *settings]) + "\n")
        self.run("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.properties, "--ignore-formatted")

    def lines(self):
        return ["process.roles=broker,controller", f"node.id={self.node}", f"controller.quorum.voters={self.voter()}",
                f"listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller}",
                f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}", "controller.listener.names=CONTROLLER",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT", f"log.dirs={os.path.join(self.root, 'data')}",
                "offsets.topic.replication.factor=1", "offsets.topic.num.partitions=1", "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1", "transaction.state.log.num.partitions=1", "share.coordinator.state.topic.replication.factor=1",
                "share.coordinator.state.topic.min.isr=1", "share.coordinator.state.topic.num.partitions=1", "num.partitions=3",
                "group.initial.rebalance.delay.ms=0", "log.cleaner.dedupe.buffer.size=4194304", "broker.heartbeat.interval.ms=200",
                "broker.session.timeout.ms=1000", "log.segment.delete.delay.ms=1000"]

    def voter(self):
        return f"{self.node}@127.0.0.1:{self.controller}"

    def signed_in(self):
        """Settings of a second listener, for users of SASL/PLAIN whose rights are looked at; the first stays open to everybody. Its address
        is `self.guarded`. Users: agent (password agent-secret), admin."""
        [port] = free_ports(1)
        self.guarded = f"127.0.0.1:{port}"
        users = "PlainLoginModule required username=\"admin\" password=\"admin-secret\" user_admin=\"admin-secret\" user_agent=\"agent-secret\";"
        self.write([f"listeners=PLAINTEXT://{self.address},SASL_PLAINTEXT://{self.guarded},CONTROLLER://127.0.0.1:{self.controller}",
                    f"advertised.listeners=PLAINTEXT://{self.address},SASL_PLAINTEXT://{self.guarded}",
                    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
                    "inter.broker.listener.name=PLAINTEXT", "sasl.enabled.mechanisms=PLAIN",
                    f"listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.{users}",
                    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:admin;User:ANONYMOUS"])
        return self

    def also_on(self, *hosts):
        """A listener on each of these addresses of this machine, for clients in other namespaces: `self.at[host]`."""
        self.at = {host: f"{host}:{port}" for host, port in zip(hosts, free_ports(len(hosts)))}
        more = [(f"H{n}", address) for n, address in enumerate(self.at.values())]
        ours = ",".join([f"PLAINTEXT://{self.address}"] + [f"{name}://{address}" for name, address in more])
        self.write([f"listeners={ours},CONTROLLER://127.0.0.1:{self.controller}", f"advertised.listeners={ours}", "inter.broker.listener.name=PLAINTEXT",
                    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT," + ",".join(f"{name}:PLAINTEXT" for name, _ in more)])
        return self

    def write(self, settings):
        """Further lines of server.properties, which win over those before them."""
        with open(self.properties, "a") as f:
            f.write("\n".join(settings) + "\n")

    def run(self, main, *words):
        done = subprocess.run(["java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", class_path(), main, *words], capture_output=True, timeout=180)
        if done.returncode != 0:
            raise RuntimeError(f"{main} failed: {done.stderr.decode(errors='replace')[-2000:]}")

    def start(self, seconds=180):
        self.launch()
        self.wait(seconds)

    def launch(self):
        log = open(os.path.join(self.root, "kafka.log"), "ab")
        self.process = subprocess.Popen([*JAVA, "-cp", class_path(), "kafka.Kafka", self.properties], stdout=log, stderr=log,
                                        cwd=self.root, start_new_session=True)
        log.close()

    def wait(self, seconds=180):
        end = time.monotonic() + seconds
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Kafka does not start:\n{self.said()[-2000:]}")
            time.sleep(0.1)

    def admin(self, command, topic, *words, stdin=b""):
        """`create` and `partitions` (with a count), `delete`, `truncate`, `config` (NAME=VALUE ...), `allow` (user, operations), `read`, `ends`,
        `say` (lines of stdin), `topics`; the answer's lines."""
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "KafkaAdmin.java")
        done = subprocess.run(["java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", class_path(), source,
                               self.address, command, topic, *map(str, words)], input=stdin, capture_output=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"{command} {topic} failed: {done.stderr.decode(errors='replace')[-2000:]}")
        return done.stdout.decode().splitlines()

    def has(self, topic):
        return topic in self.admin("topics", "")

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def said(self):
        with open(os.path.join(self.root, "kafka.log"), errors="replace") as f:
            return f.read()

    def stop(self, how=signal.SIGKILL):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(timeout=30)


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
    if sys.argv[1:] != ["fetch"]:
        sys.exit(__doc__)
    fetch()
