#!/usr/bin/env python3
"""The Java examples (examples/storm, examples/hadoop) with the jars their pom.xml names, which come from Maven Central once and are kept outside
the checkout. Compiled anew for each test.

usage: java_jobs.py fetch     gets what is missing (the set-up of `make test-long`)
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kafka import free_ports
from maven import copy_jars

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
ROOT = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "logboom-servers")
NAMES = ("storm", "hadoop")


class JavaExample:
    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(EXAMPLES, name)
        self.pom = os.path.join(self.folder, "pom.xml")
        with open(self.pom, "rb") as f:
            self.cache = os.path.join(ROOT, f"example-{name}-{hashlib.sha256(f.read()).hexdigest()[:12]}")

    def missing(self):
        """Why it cannot run; empty when it can."""
        if shutil.which("javac") is None:
            return "javac is not installed (openjdk-17-jdk-headless)"
        if not os.path.isdir(os.path.join(self.cache, "libs")):
            return f"the jars of examples/{self.name} are not in {self.cache}: run `python3 tests/servers/java_jobs.py fetch`"
        return ""

    def fetch(self):
        if os.path.isdir(os.path.join(self.cache, "libs")):
            return
        os.makedirs(ROOT, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT) as work:
            copy_jars(self.pom, os.path.join(work, "libs"))
            os.makedirs(self.cache, exist_ok=True)
            os.rename(os.path.join(work, "libs"), os.path.join(self.cache, "libs"))

    def class_path(self, classes=""):
        libs = os.path.join(self.cache, "libs")
        return ":".join(([classes] if classes else []) + [os.path.join(libs, jar) for jar in sorted(os.listdir(libs))])

    def compile(self, classes):
        sources = [os.path.join(self.folder, name) for name in sorted(os.listdir(self.folder)) if name.endswith(".java")]
        done = subprocess.run(["javac", "--release", "17", "-Xlint:all,-processing,-serial,-classfile", "-cp", self.class_path(), "-d", classes, *sources],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"examples/{self.name} does not compile:\n{done.stderr[-3000:]}")

    def command(self, classes, main, *words):
        return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", self.class_path(classes), main, *words]


class ZooKeeper:
    """One on loopback, from the jars of Storm."""

    def __init__(self, example, root):
        os.makedirs(root, exist_ok=True)
        [self.port] = free_ports(1)
        config = os.path.join(root, "zoo.cfg")
        with open(config, "w") as f:
            f.write(f"dataDir={root}\nclientPort={self.port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\ntickTime=2000\n")
        self.command = example.command("", "org.apache.storm.shade.org.apache.zookeeper.server.quorum.QuorumPeerMain", config)


if __name__ == "__main__":
    if sys.argv[1:] != ["fetch"]:
        sys.exit(__doc__)
    for each in NAMES:
        JavaExample(each).fetch()
