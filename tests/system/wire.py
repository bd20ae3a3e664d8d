"""Bad networks: a namespace whose loopback drops or slows packets, and a proxy that cuts, delays and repeats what passes through it."""
import random
import socket
import subprocess
import threading

from product import NotRun, tool


class Namespace:
    """A network namespace with a loopback of its own. `wrap` is put in front of a command that is to run in it."""

    count = 0

    def __init__(self, home):
        Namespace.count += 1
        self.name = f"lb{home.root.rsplit('-', 1)[-1]}{Namespace.count}"
        self.wrap = (tool("ip"), "netns", "exec", self.name)
        done = subprocess.run(["ip", "netns", "add", self.name], capture_output=True)
        if done.returncode != 0:
            raise NotRun(f"cannot make a network namespace: {done.stderr.decode(errors='replace').strip()}")
        self.run("ip", "link", "set", "lo", "up", "mtu", "1500")

    def run(self, *words):
        done = subprocess.run([*self.wrap, *words], capture_output=True)
        if done.returncode != 0:
            raise NotRun(f"{' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")

    def drop(self, percent):
        """Drops so many of the packets that arrive, without a word to either side; 0 ends it."""
        self.run(tool("nft"), "flush", "ruleset")
        if percent:
            self.run("nft", "add", "table", "ip", "t")
            self.run("nft", "add chain ip t i { type filter hook input priority 0; }")
            which = [] if percent == 100 else ["numgen", "random", "mod", "100", "<", str(percent)]
            self.run("nft", " ".join(["add rule ip t i", *which, "drop"]))

    def slow(self, rate):
        self.run(tool("tc"), "qdisc", "replace", "dev", "lo", "root", "tbf", "rate", rate, "burst", "8kb", "latency", "500ms")

    def close(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=False, capture_output=True)


class Host(Namespace):
    """A namespace that is a host of its own: an address (`ip`) on a cable to this machine, whose end (`gateway`) is its way to the world."""

    def __init__(self, home):
        super().__init__(home)
        number = (int.from_bytes(self.name.encode()[-6:], "big") * 31 + Host.count) % 16000
        network = f"10.{200 + number // 4000}.{number // 64 % 256}"
        self.gateway, self.ip = (f"{network}.{number % 64 * 4 + n}" for n in (1, 2))
        self.cable = f"{self.name[-12:]}c"
        self.outside("link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        self.outside("addr", "add", f"{self.gateway}/30", "dev", self.cable)
        self.outside("link", "set", self.cable, "up")
        for words in (["addr", "add", f"{self.ip}/30", "dev", "eth0"], ["link", "set", "eth0", "up"], ["route", "add", "default", "via", self.gateway]):
            self.run("ip", *words)

    def outside(self, *words):
        done = subprocess.run(["ip", *words], capture_output=True)
        if done.returncode != 0:
            self.close()
            raise NotRun(f"ip {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")

    def cut(self):
        """The cable is pulled out; `mend` puts it in again."""
        self.outside("link", "set", self.cable, "down")

    def mend(self):
        self.outside("link", "set", self.cable, "up")


class Proxy:
    """Passes TCP connections on to `port`. Each new connection asks `plan(number)` for what befalls it: a dict with `requests` or `answers`
    (cut after so many bytes of that direction), `delay` (seconds before each piece, at most) and `repeat` (what the client sent,
    from the first place with these bytes on, is sent again on another connection once this one has ended)."""

    def __init__(self, port, plan):
        self.port, self.plan, self.connections, self.sent = port, plan, 0, []
        self.random = random.Random(7)
        self.closed = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closed.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(client, self.plan(self.connections) or {}), daemon=True).start()

    def serve(self, client, plan):
        try:
            server = socket.create_connection(("127.0.0.1", self.port), timeout=10)
            server.settimeout(None)
        except OSError:
            client.close()
            return
        said = bytearray()
        up = threading.Thread(target=self.copy, args=(client, server, plan.get("requests"), plan, said), daemon=True)
        up.start()
        self.copy(server, client, plan.get("answers"), plan, bytearray())
        up.join()
        for end in (client, server):
            end.close()
        if plan.get("repeat") and plan["repeat"] in said:
            self.again(bytes(said[said.index(plan["repeat"]):]))

    def copy(self, source, target, limit, plan, said):
        """One direction; when it ends, so does the other: what is cut is cut for both."""
        try:
            while data := source.recv(16384):
                if plan.get("delay"):
                    self.closed.wait(self.random.random() * plan["delay"])
                data = data if limit is None else data[:limit - len(said)]
                said += data
                target.sendall(data)
                if limit is not None and len(said) >= limit:
                    break
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def again(self, data):
        """What a client said, said once more: requests that arrive late and twice."""
        self.sent.append(data)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(16384):
                    pass
        except OSError:
            pass

    def close(self):
        self.closed.set()
        self.listener.close()
