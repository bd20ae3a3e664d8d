"""Agent and server over a network that loses, cuts, delays and repeats: exactly once whatever the wire does."""
import os
import re
import shutil
import signal
import socket

from faults import faults
from fleet import Agent, Server
from oracle import Lines, append, check_audit, check_exports, check_lines, oracle, read, wait_lines
from product import Unix, check
from wire import Namespace, Proxy

BATCHES = b"POST /api/v1/agent/batches"


def counter(home, name):
    status, body = Unix(home).ask("/metrics")
    check(status == 200, f"/metrics: {status}")
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", body.decode(), re.M))


def in_namespace(home):
    network = Namespace(home)
    server = Server(home)
    server.start(wrap=network.wrap)
    agent = Agent(server, "web-1")
    agent.wrap = network.wrap
    return network, server, agent, Lines()


def finish(server, agent, lines, *names):
    wait_lines(server.home, len(lines.made), seconds=300)
    agent.stop()
    server.stop()
    oracle(server.home, lines.made, [read(agent.log(name)) for name in names])


@faults("T2")
def test_packets_are_dropped(home):
    """30% of all packets vanish while lines are written."""
    network, server, agent, lines = in_namespace(home)
    try:
        network.drop(30)
        append(agent.log("a.log"), lines.next(500))
        agent.start()
        for _ in range(4):
            append(agent.log("a.log"), lines.next(200))
            append(agent.log("b.log"), lines.next(200))
        wait_lines(home, len(lines.made), seconds=600)
        network.drop(0)
        finish(server, agent, lines, "a.log", "b.log")
    finally:
        network.close()


@faults("T4")
def test_half_open(home):
    """Nothing arrives any more and no side is told: the server says that the agent is away, and delivery goes on by itself afterwards."""
    network, server, agent, lines = in_namespace(home)
    try:
        append(agent.log("a.log"), lines.next(100))
        agent.start()
        wait_lines(home, 100)
        network.drop(100)
        append(agent.log("a.log"), lines.next(500))
        home.wait_until(lambda: not home.json("fleet")[0]["online"], "the server misses the agent")
        check(home.count() == 100, "nothing came through")
        network.drop(0)
        finish(server, agent, lines, "a.log")
    finally:
        network.close()


@faults("T5")
def test_a_slow_link(home):
    """64 kbit/s: reading waits for the link, memory stays flat, every line arrives."""
    network, server, agent, lines = in_namespace(home)
    try:
        agent.start()
        append(agent.log("a.log"), lines.next(10))
        wait_lines(home, 10)
        before = resident(agent.process.pid)
        network.slow("64kbit")
        append(agent.log("a.log"), lines.next(1000))
        append(agent.log("b.log"), os.urandom(48 << 10).hex().encode() + b"\n")
        lines.made.append(read(agent.log("b.log")))
        wait_lines(home, len(lines.made), seconds=300)
        check(resident(agent.process.pid) < before + (64 << 20), f"the agent grew from {before} to {resident(agent.process.pid)}")
        network.run("tc", "qdisc", "del", "dev", "lo", "root")
        finish(server, agent, lines, "a.log", "b.log")
    finally:
        network.close()


def resident(pid):
    """Bytes, the most there ever were."""
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1]) << 10


@faults("T3")
def test_cut_at_every_place(home):
    """Connections end after N bytes of the answer, and of the request, N growing: what was stored without the agent hearing of it is not stored again."""
    server, lines = Server(home), Lines()
    server.start()
    cuts = [{side: n} for n in range(1, 260, 17) for side in ("answers", "requests")]
    proxy = Proxy(server.port, lambda number: cuts[number - 1] if number <= len(cuts) else None)
    agent = Agent(server, "web-1")
    agent.url = proxy.url
    agent.start()

    def write_on():
        append(agent.log("a.log"), lines.next(20))
        return proxy.connections > len(cuts)

    home.wait_until(write_on, "every cut was made", 300)
    wait_lines(home, len(lines.made))
    agent.stop()
    server.stop()
    proxy.close()
    oracle(home, lines.made, [read(agent.log("a.log"))])


@faults("T3")
def test_replies_are_lost(home):
    """The server stores, its answers never arrive: what is sent again it has already."""
    server, lines = Server(home), Lines()
    server.start()
    lost = {"answers": 0, "until": 0}

    def plan(number):
        return {"answers": 400} if lost["until"] == 0 or number <= lost["until"] else None

    proxy = Proxy(server.port, plan)
    agent = Agent(server, "web-1")
    agent.url = proxy.url
    agent.start()

    def write_on():
        append(agent.log("a.log"), lines.next(20))
        return counter(home, "logboom_store_repeated_bytes_total") > 0

    home.wait_until(write_on, "batches came again", 300)
    lost["until"] = proxy.connections
    wait_lines(home, len(lines.made))
    agent.stop()
    server.stop()
    proxy.close()
    oracle(home, lines.made, [read(agent.log("a.log"))])


@faults("T6")
def test_delayed_and_doubled(home):
    """Pieces are late, connections end anywhere, and the batches of each come once more when the agent is further on."""
    server, lines = Server(home), Lines()
    server.start()

    def plan(number):
        # Until enough was said again: not every connection carries batches. Later ones let more through, or a request that has grown on a slow machine never passes.
        cut = 3000 + number * 977 % 20000 + max(0, number - 30) * 10_000
        return {"delay": 0.02, "repeat": BATCHES, "requests": cut} if len(proxy.sent) < 20 else None

    proxy = Proxy(server.port, plan)
    agent = Agent(server, "web-1")
    agent.url = proxy.url
    agent.start()

    def write_on():
        if len(lines.made) < home.count() + 200:  # what waits fits through the cuts, or the agent pauses longer and longer
            append(agent.log(f"{len(lines.made) // 50 % 3}.log"), lines.next(50))
        return len(proxy.sent) >= 20

    home.wait_until(write_on, "20 connections were said again", 300)
    wait_lines(home, len(lines.made), seconds=300)
    agent.stop()
    proxy.close()
    check(counter(home, "logboom_store_repeated_bytes_total") > 0, "doubled batches reached the store")
    server.stop()
    oracle(home, lines.made, [read(agent.log(f"{n}.log")) for n in range(3) if os.path.exists(agent.log(f"{n}.log"))])


@faults("T7")
def test_an_old_session_is_replayed(home):
    """What an agent said in a session that is over is refused with 409 and changes nothing."""
    server, lines = Server(home), Lines()
    server.start()
    proxy = Proxy(server.port, lambda number: None)
    heard = []
    copy = proxy.copy

    def listen(source, target, limit, plan, said):
        copy(source, target, limit, plan, said)
        heard.append(bytes(said))

    proxy.copy = listen
    agent = Agent(server, "web-1")
    agent.url = proxy.url
    append(agent.log("a.log"), lines.next(100))
    agent.start()
    wait_lines(home, 100)
    agent.stop()
    home.wait_until(lambda: any(BATCHES in data for data in heard), "the session was heard")
    agent.url = server.url
    append(agent.log("a.log"), lines.next(100))
    agent.start()
    wait_lines(home, 200)
    old = next(data for data in heard if BATCHES in data)
    old = old[old.index(BATCHES):]
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as s:
        s.sendall(old)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while data := s.recv(65536):
            answer += data
    check(answer.startswith(b"HTTP/1.1 409") and b"fenced" in answer, f"the answer is {answer[:300]!r}")
    append(agent.log("a.log"), lines.next(100))
    finish(server, agent, lines, "a.log")
    proxy.close()


@faults("A21")
def test_a_cloned_agent(home):
    """A copied host runs with the key and state of the first: one of the two is refused, says so, and nothing is merged away or lost
    once the copy has a key of its own."""
    server, lines = Server(home), Lines()
    server.start()
    first = Agent(server, "web-1")
    append(first.log("a.log"), lines.next(100))
    first.start()
    wait_lines(home, 100)
    clone = Agent(server, "web-2", token=first.token)
    shutil.copytree(first.data, clone.data, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    shutil.copy(first.env["LOGBOOM_AGENT_KEY_FILE"], clone.env["LOGBOOM_AGENT_KEY_FILE"])
    others = Lines("y")
    append(clone.log("a.log"), others.next(100))
    clone.start()

    def one_is_told():
        append(first.log("a.log"), lines.next(1))
        return first.process.poll() is not None

    home.wait_until(one_is_told, "the older of the two ends")
    check("has taken over" in first.said(), f"it says {first.said()[-500:]}")
    clone.stop()
    os.unlink(clone.env["LOGBOOM_AGENT_KEY_FILE"])
    clone.token = server.token("web-2")
    shutil.rmtree(clone.data)
    held = home.count("y")
    clone.start()
    first.start()
    append(first.log("a.log"), lines.next(50))
    append(clone.log("a.log"), others.next(50))
    wait_lines(home, len(lines.made), "x")
    wait_lines(home, held + len(others.made), "y")
    first.stop()
    clone.stop()
    server.stop()
    check_lines(home, lines.made, "x")
    check(set(others.made) <= set(home.run("search", "--all", "--quiet", "--", "y").stdout.splitlines(keepends=True)), "the copy's lines are all there")
    check_exports(home, [read(first.log("a.log")), read(clone.log("a.log"))])
    check_audit(home)


@faults("A22")
def test_stopped_and_continued(home):
    """An agent that stood still while the server went away and came back, and a server that stood still under it, go on."""
    server, lines = Server(home), Lines()
    server.start()
    agent = Agent(server, "web-1")
    agent.start()
    append(agent.log("a.log"), lines.next(100))
    wait_lines(home, 100)
    os.killpg(agent.process.pid, signal.SIGSTOP)
    append(agent.log("a.log"), lines.next(1000))
    home.wait_until(lambda: not home.json("fleet")[0]["online"], "the server misses the agent")
    server.kill()
    server.start()
    os.killpg(agent.process.pid, signal.SIGCONT)
    wait_lines(home, 1100)
    os.killpg(server.process.pid, signal.SIGSTOP)
    append(agent.log("a.log"), lines.next(1000))
    agent.kill()
    os.killpg(server.process.pid, signal.SIGCONT)
    agent.start()
    append(agent.log("a.log"), lines.next(100))
    finish(server, agent, lines, "a.log")
