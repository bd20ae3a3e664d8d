"""Runs the real binary for the system tests: temporary folders, free ports, processes ended by their id. Standard library only,
and nothing of the product's own code."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request


class Failure(Exception):
    pass


class NotRun(Exception):
    """The machine cannot provoke this fault (no root, no mount, a missing tool). Reported as not run, never as passed."""


def need_server(server):
    """`server` (a module of tests/servers, or a distribution of one) can be started here. Where not: not run, but in CI a failure."""
    if why := server.missing():
        raise Failure(why) if os.environ.get("CI") else NotRun(why)


def tool(name):
    if shutil.which(name) is None:
        raise NotRun(f"{name} is not installed")
    return name


def check(condition, message):
    if not condition:
        raise Failure(message)


def all_threads_stopped(pid):
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/stat") as f:
                if f.read().rpartition(")")[2].split()[0] != "T":
                    return False
    except (FileNotFoundError, ProcessLookupError):
        return False  # one just went
    return True


def free_port(given=set()):
    """A port nobody listens on now, another one each time."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in given:
            given.add(port)
            return port


class Home:
    """A folder with a data directory, an agent key of its own and a place for logs; removed at the end unless the test failed."""

    def __init__(self, binary, prefix="logboom-test-"):
        self.binary = os.path.abspath(binary)
        self.root = tempfile.mkdtemp(prefix=prefix)
        self.data = os.path.join(self.root, "data")
        self.logs = os.path.join(self.root, "logs")
        os.mkdir(self.logs)
        self.env = dict(os.environ, LOGBOOM_AGENT_KEY_FILE=os.path.join(self.root, "agent.key"), XDG_CONFIG_HOME=os.path.join(self.root, "config"),
                        NO_COLOR="1")
        self.running = []
        self.mounted = []

    def log(self, name):
        return os.path.join(self.logs, name)

    def run(self, *words, code=0, stdin=None, timeout=300, env=None, wrap=()):
        """Runs a command to its end; `code` None accepts any exit status. Returns the finished process with bytes."""
        done = subprocess.run([*wrap, self.binary, "--data", self.data, *words], input=stdin, capture_output=True, timeout=timeout, env=env or self.env, cwd=self.root)
        if code is not None and done.returncode != code:
            raise Failure(f"{' '.join(words)}: exit status {done.returncode}, expected {code}\n{done.stderr.decode(errors='replace')[-2000:]}\n"
                          f"{done.stdout.decode(errors='replace')[-2000:]}")
        return done

    def json(self, *words, code=0, timeout=300):
        return json.loads(self.run(*words, "-o", "json", code=code, timeout=timeout).stdout)

    def start(self, *words, wait=True, env=None, wrap=(), command="up", listen="127.0.0.1:0"):
        """Starts `logboom up ...` (or `server`); returns the process once it answers on its socket."""
        log = open(os.path.join(self.root, "up.log"), "ab")
        process = subprocess.Popen([*wrap, self.binary, "--data", self.data, command, *words, "--listen", listen], stdout=log, stderr=log,
                                   env=env or self.env, cwd=self.root, start_new_session=True)
        self.running.append(process)
        if wait:
            self.wait_until(lambda: self.answers(process), "the program answers on its socket")
        return process

    def answers(self, process):
        if process.poll() is not None:
            raise Failure(f"up ended with {process.returncode}:\n{self.up_log()[-3000:]}")
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.settimeout(2)
                s.connect(os.path.join(self.data, "logboom.sock"))
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return b" 200 " in s.recv(200)
            except OSError:
                return False

    def up_log(self):
        path = os.path.join(self.root, "up.log")
        return open(path, errors="replace").read() if os.path.exists(path) else ""

    def kill(self, process, how=signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, how)
        code = process.wait(timeout=180)
        self.running.remove(process)
        self.wait_until(lambda: self.group_is_gone(process.pid), "every process of the group has ended")
        return code

    @staticmethod
    def group_is_gone(group):
        """With a wrapper (strace) in front, the program itself may outlive what was waited for."""
        try:
            os.killpg(group, 0)
            return False
        except ProcessLookupError:
            return True

    def freeze(self, process):
        """SIGSTOP, and not a thread of it runs any more: the signal alone is only on its way when kill() returns."""
        os.kill(process.pid, signal.SIGSTOP)
        self.wait_until(lambda: all_threads_stopped(process.pid), "every thread has stopped")

    def stop(self, process):
        code = self.kill(process, signal.SIGTERM)
        check(code == 0, f"up ended with {code} after SIGTERM:\n{self.up_log()[-3000:]}")

    def wait_until(self, condition, what, seconds=180):
        """Waits for a condition with a bound far above what is expected: a hang fails, slowness does not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.05)
        raise Failure(f"waited {seconds} s in vain: {what}\n{self.up_log()[-2000:]}")

    def caught_up(self):
        """Every byte on disk of every file known is durable, as the running program says."""
        status, answer = Unix(self).ask("/api/v1/sources")
        return status == 200 and all(s["lag"] in (0, None) for s in json.loads(answer)["sources"])

    def count(self, query=""):
        """Lines found by the running program; -1 while it cannot say. Asks over the socket: no process a question."""
        try:
            status, body = Unix(self).ask(f"/api/v1/search?limit=0&progress=false&q={urllib.parse.quote(query)}")
        except (OSError, ValueError, IndexError):
            return -1
        frames = [json.loads(line) for line in body.splitlines()] if status == 200 else []
        return frames[-1]["stats"]["lines"] if frames and frames[-1]["type"] == "done" else -1

    def export(self, path, code=0):
        return self.run("export", "--file", path, code=code).stdout

    def mount_tmpfs(self, path, options):
        os.makedirs(path, mode=0o700, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True)
        if done.returncode != 0:
            raise NotRun(f"cannot mount: {done.stderr.decode(errors='replace').strip()}")
        self.mounted.append(path)

    def image(self, path, size, folder):
        """An ext4 file system in a file, mounted on the folder. Returns nothing; unmounted at the end."""
        with open(path, "wb") as f:
            f.truncate(size)
        subprocess.run([tool("mkfs.ext4"), "-q", "-F", "-E", "lazy_itable_init=1,nodiscard", path], check=True, capture_output=True)
        self.mount_image(path, folder)

    def mount_image(self, path, folder):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        done = subprocess.run(["mount", "-o", "loop", path, folder], capture_output=True)
        if done.returncode != 0:
            raise NotRun(f"cannot mount an image: {done.stderr.decode(errors='replace').strip()}")
        self.mounted.append(folder)
        os.chmod(folder, 0o700)

    def unmount(self, folder):
        subprocess.run(["umount", "-l", folder], check=False)
        self.mounted.remove(folder)

    def remount_tmpfs(self, path, options):
        subprocess.run(["mount", "-o", f"remount,{options}", path], check=True)

    def close(self, keep=False):
        for process in list(self.running):
            self.kill(process)
        for path in reversed(self.mounted):
            subprocess.run(["umount", "-l", path], check=False)
        if not keep:
            shutil.rmtree(self.root, ignore_errors=True)


class Unix:
    """Plain HTTP over the Unix socket."""

    def __init__(self, home):
        self.path = os.path.join(home.data, "logboom.sock")

    def get(self, target, method="GET", body=b"", headers=()):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(self.path)
            head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
            s.sendall(head.encode() + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers) + b"\r\n" + body)
            data = b""
            while chunk := s.recv(1 << 16):
                data += chunk
        return data


    def ask(self, target, method="GET", body=b"", headers=()):
        """Status and body."""
        head, _, rest = self.get(target, method, body, headers).partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            rest = unchunk(rest)
        return int(head.split(b" ", 2)[1]), rest


def unchunk(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        n = int(size.split(b";")[0], 16)
        if n == 0:
            return out
        out, data = out + data[:n], data[n + 2:]
    raise ValueError("a chunked answer ended early")


class Http:
    """The page's side: TCP, cookies, no proxies."""

    def __init__(self, base):
        self.base = base
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())

    def open(self, target, **kwargs):
        return self.opener.open(self.base + target, timeout=60, **kwargs)
