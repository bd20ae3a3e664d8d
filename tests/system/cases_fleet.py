"""Agents that send over HTTP to one server: exactly once over every kill, one agent per identity, nothing into another's files."""
import os

from faults import faults
from fleet import Agent, Server
from oracle import Lines, append, check_audit, check_exports, check_lines, oracle, read, wait_lines
from product import check


def test_an_agent_sends_to_a_server(home):
    """Lines of another host are found on the server with its name, export is byte-equal, the audit clean; agents may come and go."""
    server = Server(home)
    server.start()
    agent, lines = Agent(server, "web-1"), Lines()
    append(agent.log("a.log"), lines.next(500))
    agent.start()
    wait_lines(home, 500)
    agent.stop()
    append(agent.log("a.log"), lines.next(300))
    append(agent.log("b.log"), lines.next(200))
    agent.start()
    wait_lines(home, 1000)
    check(home.count("host:web-1") == 1000, "every line bears the agent's name")
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log")), read(agent.log("b.log"))])


def test_kills_on_both_sides(home):
    """kill -9 of the agent, the server, both, and a server that is away while lines come: every line once."""
    server = Server(home)
    server.start()
    agent, lines = Agent(server, "web-1"), Lines()
    agent.start()
    for step in range(6):
        append(agent.log(f"{step % 2}.log"), lines.next(2000))
        if step % 3 != 1:
            agent.kill()
        if step % 3 != 0:
            server.kill()
            append(agent.log("0.log"), lines.next(100))
            server.start(wait=step % 2 == 0)
        if step % 3 != 1:
            agent.start()
    wait_lines(home, len(lines.made))
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("0.log")), read(agent.log("1.log"))])


def test_one_agent_per_identity(home):
    """A second agent with the same key takes over, the first ends with a clear message; a second on one data directory is refused."""
    server = Server(home)
    server.start()
    agent, lines = Agent(server, "web-1"), Lines()
    append(agent.log("a.log"), lines.next(10))
    first = agent.start()
    wait_lines(home, 10)
    done = home.run("agent", "--data", agent.data, "--server", server.url, "--token-file", agent.token, env=agent.env, code=3)
    check(b"another agent runs on" in done.stderr, f"the message is {done.stderr!r}")
    agent.data += "-2"
    second = agent.start()

    def ends_when_it_sends():
        append(agent.log("a.log"), lines.next(1))
        return first.poll() is not None

    home.wait_until(ends_when_it_sends, "the older agent ends")
    check(first.returncode == 3 and "has taken over" in agent.said(), f"{first.returncode}: {agent.said()[-1000:]}")
    wait_lines(home, len(lines.made))
    check(second.poll() is None, "the newer one goes on")
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log"))])


@faults("X8")
def test_a_stolen_identity_gets_nowhere(home):
    """A token speaks for one agent: another host's agent with it is refused, and so is a token of its own for another's identity."""
    server = Server(home)
    server.start()
    owner, lines = Agent(server, "web-1"), Lines()
    append(owner.log("a.log"), lines.next(10))
    owner.start()
    wait_lines(home, 10)
    thief = Agent(server, "thief", token=owner.token)
    append(thief.log("x.log"), b"planted\n")
    thief.start()
    home.wait_until(lambda: "this token belongs to" in thief.said(), "the thief is told")
    thief.stop()
    thief.token, thief.env = server.token("thief"), dict(thief.env, LOGBOOM_AGENT_KEY_FILE=owner.env["LOGBOOM_AGENT_KEY_FILE"])
    thief.start()
    home.wait_until(lambda: "another token speaks for this agent" in thief.said(), "the liar is told")
    thief.stop()
    check(home.count("planted") == 0, "nothing of the thief's is stored")
    append(owner.log("a.log"), lines.next(10))
    wait_lines(home, 20)
    owner.stop()
    server.stop()
    oracle(home, lines.made, [read(owner.log("a.log"))])


def test_the_server_moves_to_other_data(home):
    """A server whose data was lost is filled again from what the agent's files still hold."""
    server = Server(home)
    server.start()
    agent, lines = Agent(server, "web-1"), Lines()
    append(agent.log("a.log"), lines.next(100))
    agent.start()
    wait_lines(home, 100)
    server.stop()
    for name in ("store", "agents.json", "agent-sources.txt"):
        os.rename(os.path.join(home.data, name), os.path.join(home.data, f"lost-{name}"))
    server.start()
    append(agent.log("a.log"), lines.next(10))
    wait_lines(home, 110)
    agent.stop()
    server.stop()
    check_lines(home, lines.made)
    check_exports(home, [read(agent.log("a.log"))])
    check_audit(home)
