"""Servers that come from Debian's packages, unpacked once outside the checkout and never installed: no service starts."""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SERVERS = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "logboom-servers")


class Packages:
    """Some packages in a folder of the cache, and the programs they must have."""

    def __init__(self, name, packages, programs):
        self.name, self.packages, self.programs = name, packages, programs
        self.cache = os.path.join(SERVERS, name)

    def program(self, name):
        """Of the cache, else an installed one; empty when there is none."""
        path = os.path.join(self.cache, "usr", "bin", name)
        return path if os.access(path, os.X_OK) else shutil.which(name) or ""

    def missing(self):
        """Why it cannot be used; empty when it can."""
        absent = [name for name in self.programs if not self.program(name)]
        return f"{' and '.join(absent)} of {self.name} not in {self.cache}: run `python3 tests/servers/{self.name}.py fetch`" if absent else ""

    def fetch(self):
        if not self.missing():
            return
        os.makedirs(SERVERS, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=SERVERS) as work:
            subprocess.run(["apt-get", "download", "-q", "-q", "-o", "APT::Sandbox::User=root", *self.packages], cwd=work, check=True)
            for package in glob.glob(os.path.join(work, "*.deb")):
                subprocess.run(["dpkg-deb", "-x", package, os.path.join(work, "unpacked")], check=True)
            shutil.rmtree(self.cache, ignore_errors=True)
            os.rename(os.path.join(work, "unpacked"), self.cache)

    def main(self, usage):
        """The commands `fetch` and `path`."""
        if sys.argv[1:] == ["fetch"]:
            self.fetch()
        elif sys.argv[1:] == ["path"]:
            print(self.program(self.programs[0]))
            sys.exit(0 if self.program(self.programs[0]) else 1)
        else:
            sys.exit(usage)


class Server:
    """One server of a package with its files below `root`; a subclass says `command()` and whether it is `ready()`."""

    def __init__(self, root):
        self.root, self.process = root, None
        os.makedirs(root, exist_ok=True)

    def log(self):
        return os.path.join(self.root, "server.log")

    def start(self, seconds=180):
        with open(self.log(), "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.root, start_new_session=True)
        end = time.monotonic() + seconds
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.command()[0]} does not start:\n{self.said()[-2000:]}")
            time.sleep(0.05)
        return self.process

    def said(self):
        with open(self.log(), errors="replace") as f:
            return f.read()

    def stop(self, how=signal.SIGKILL):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(timeout=30)


def opener():
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
