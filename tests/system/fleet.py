"""A fleet on one machine: a server with its store, agents with folders, keys and data directories of their own."""
import os
import signal
import subprocess

from product import check, free_port


class Server:
    """`logboom server` on a port that stays the same over restarts; over TLS where it listens for other hosts."""

    def __init__(self, home, listen="127.0.0.1"):
        self.home = home
        self.listen = listen
        self.port = free_port()
        self.url = f"{'http' if listen == '127.0.0.1' else 'https'}://127.0.0.1:{self.port}"
        self.process = None

    def start(self, *words, wait=True, wrap=()):
        self.process = self.home.start(*words, wait=wait, wrap=wrap, command="server", listen=f"{self.listen}:{self.port}")

    def kill(self):
        self.home.kill(self.process)

    def stop(self):
        self.home.stop(self.process)

    def token(self, name):
        """A file with a fresh token for an agent."""
        path = os.path.join(self.home.root, f"{name}.token")
        with open(path, "wb") as f:
            f.write(self.home.run("token", "create", name, "--role", "ingest").stdout)
        return path


class Program:
    """One program with a folder and a log of its own beside the home's; its class says the `role`, and command() its words."""

    role = ""
    wrap = ()

    def __init__(self, home, name):
        self.home, self.env = home, home.env
        self.root = os.path.join(home.root, name)
        os.makedirs(self.root, exist_ok=True)
        self.process = None

    def start(self, *words):
        with open(self.log_file(), "ab") as log:
            self.process = subprocess.Popen([*self.wrap, *self.command(*words)], stdout=log, stderr=log, env=self.env, cwd=self.root, start_new_session=True)
        self.home.running.append(self.process)
        return self.process

    def kill(self):
        self.home.kill(self.process)

    def stop(self):
        code = self.home.kill(self.process, signal.SIGTERM)
        check(code == 0, f"the {self.role} ended with {code} after SIGTERM:\n{self.said()[-3000:]}")

    def log_file(self):
        return os.path.join(self.root, f"{self.role}.log")

    def said(self):
        with open(self.log_file(), errors="replace") as f:
            return f.read()


class Agent(Program):
    """`logboom agent` as another host would run it: its own key, data directory, log folder and rules."""

    role = "agent"

    def __init__(self, server, name, folder=None, token=None):
        super().__init__(server.home, name)
        self.server, self.name = server, name
        self.data = os.path.join(self.root, "data")
        self.logs = folder or os.path.join(self.root, "logs")
        os.makedirs(self.logs, exist_ok=True)
        self.config = os.path.join(self.root, "agent.yaml")
        self.rules(self.logs)
        self.env = dict(self.home.env, LOGBOOM_AGENT_KEY_FILE=os.path.join(self.root, "agent.key"), LOGBOOM_AGENT_NAME=name,
                        XDG_CONFIG_HOME=os.path.join(self.root, "config"))
        self.token = token or server.token(name)
        self.url = server.url

    def rules(self, *paths):
        with open(self.config, "w") as f:
            f.write("collect:\n  items:\n" + "".join(f"    - path: {path}\n" for path in paths))

    def log(self, name):
        return os.path.join(self.logs, name)

    def command(self, *words):
        given = ["--server", self.url, "--token-file", self.token] if self.token else []
        return [self.home.binary, "agent", "--data", self.data, "--config", self.config, *given, *words]
