"""Agents that send over HTTP to one server: exactly once over every kill, one agent per identity, nothing into another's files."""
import glob
import http.client
import json
import os
import re
import shlex
import subprocess
import threading

from faults import faults, long
from fleet import Agent, Server
from oracle import Lines, append, check_audit, check_exports, check_lines, oracle, read, wait_lines
from product import check, tool


def begin(home, count):
    """A server, and an agent web-1 that has sent so many lines of its a.log; both run."""
    server = Server(home)
    server.start()
    agent, lines = Agent(server, "web-1"), Lines()
    append(agent.log("a.log"), lines.next(count))
    agent.start()
    wait_lines(home, count)
    return server, agent, lines


def test_an_agent_sends_to_a_server(home):
    """Lines of another host are found on the server with its name, export is byte-equal, the audit clean; agents may come and go."""
    server, agent, lines = begin(home, 500)
    agent.stop()
    append(agent.log("a.log"), lines.next(300))
    append(agent.log("b.log"), lines.next(200))
    agent.start()
    wait_lines(home, 1000)
    check(home.count("host:web-1") == 1000, "every line bears the agent's name")
    agent.stop()
    for command in (["status"], ["sources"], ["search", "x"]):
        said = home.run(*command, "--data", agent.data, code=2).stderr.decode()
        check("is the folder of an agent" in said and "logboom fleet" in said, f"{command} on an agent's folder: {said}")
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
    server, agent, lines = begin(home, 10)
    first = agent.process
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
    server, owner, lines = begin(home, 10)
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
    server, agent, lines = begin(home, 100)
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


@faults("S7")
def test_a_hole_on_the_server_is_filled_by_the_agent(home):
    """Blocks of the server's store are damaged and given up by a repair: the agents that run all the while are asked again and send what is
    missing from their files, also renamed ones; nothing is there twice."""
    server = Server(home)
    server.start()
    agent, other, lines = Agent(server, "web-1"), Agent(server, "web-2"), Lines()
    append(agent.log("a.log"), lines.next(60000))
    agent.start()
    wait_lines(home, 60000)  # their blocks hold nothing of the other agent's
    append(other.log("o.log"), lines.next(100))
    other.start()
    wait_lines(home, 60100)
    os.rename(agent.log("a.log"), agent.log("a.log.1"))
    append(agent.log("a.log"), lines.next(10))
    wait_lines(home, 60110)
    server.stop()
    database = max(glob.glob(os.path.join(home.data, "store", "**", "*.db"), recursive=True), key=os.path.getsize)
    damaged = bytearray(read(database))
    damaged[damaged.index(b"LBBLOCK1") + 40] ^= 0xff
    with open(database, "wb") as f:
        f.write(damaged)
    home.run("repair", code=1)
    server.start()
    wait_lines(home, 60110)
    home.wait_until(lambda: "is lost; asking again what it holds" in agent.said(), "the agent is told")
    check("asking again" not in other.said(), "an agent of whose files nothing is lost is left alone")
    append(agent.log("a.log"), lines.next(10))
    append(other.log("o.log"), lines.next(10))
    wait_lines(home, 60130)
    for each in (agent, other):
        each.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log")), read(agent.log("a.log.1")), read(other.log("o.log"))])


@faults("S7")
def test_a_lost_file_of_the_server_is_filled_by_the_agent(home):
    """A whole file of the server's store is gone: what it held comes again from the agent; the audit names the file until a person accepts that."""
    server = Server(home)
    small = ("--logs.file_size", "64KiB")
    server.start(*small)
    agent, lines = Agent(server, "web-1"), Lines()
    agent.start()
    for count in range(20000, 80001, 20000):
        append(agent.log("a.log"), lines.next(20000))
        wait_lines(home, count)
    server.stop()
    files = sorted(glob.glob(os.path.join(home.data, "store", "**", "*.db"), recursive=True))
    check(len(files) > 3, f"the store has {files}")
    os.unlink(files[len(files) // 2 - 1])
    home.run("repair", code=None)
    server.start(*small)
    wait_lines(home, 80000)
    agent.stop()
    server.stop()
    said = check_audit(home, 1)
    check(said.count("FINDING") == 1 and "given up" in said, f"the audit says {said}")
    home.run("audit", "--accept", re.search(r"FINDING (f-\w+)", said)[1])
    oracle(home, lines.made, [read(agent.log("a.log"))])


def enrolled(server, name):
    """An agent that was enrolled with the printed line and takes its rules from the server."""
    agent = Agent(server, name, token="made by enroll")
    os.unlink(agent.config)  # the one of `enroll` lies in its place
    line = server.home.run("token", "create", "--agent").stdout.decode().split()
    check(line[:2] == ["logboom", "enroll"] and line[2].endswith(f":{server.port}"), f"the printed line is {line}")
    line[2] = server.url  # this host's name need not be known to it
    server.home.run(*line[1:], env=agent.env)
    agent.token, agent.line = None, line
    return agent


def fleet_of(home):
    return {a["name"]: a for a in home.json("fleet")}


@long
@faults("A16")
def test_gaps_are_asked_for(home):
    """A disk gives errors for so long that a range becomes a gap; later it can be read again: the agent that runs is asked for it, the audit is clean and
    every byte is there. A line that the gap cut stays in two."""
    server, agent, lines = begin(home, 100)
    agent.stop()
    path = agent.log("a.log")
    append(path, lines.next(100))
    agent.wrap = [tool("strace"), "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "trace=read,pread64,preadv", "-e", "inject=read,pread64,preadv:error=EIO:when=3+"]
    agent.start()
    home.wait_until(lambda: home.run("audit", code=None).returncode == 1, "the ledger has a gap", 300)
    agent.kill()
    agent.wrap = ()
    agent.start()
    append(path, lines.next(10))
    wait_lines(home, 110)
    check("gap" in check_audit(home, code=1), "the gap stays by itself")
    home.run("repair", "--host", "web-1")
    wait_lines(home, 210)
    home.wait_until(lambda: home.run("audit", code=None).returncode == 0, "nothing is missing")
    agent.stop()
    server.stop()
    check_audit(home)
    check_exports(home, [read(path)])


@faults("X8")
def test_a_new_token_takes_the_place_of_a_revoked_one(home):
    """An agent whose token is revoked says so, and goes on by itself once its file holds another; doctor says it, too, and neither runs into the throttle."""
    server, agent, lines = begin(home, 10)
    home.run("token", "revoke", home.run("token", "list").stdout.split()[0].decode())
    append(agent.log("a.log"), lines.next(10))
    home.wait_until(lambda: "does not take this host's token" in agent.said(), "the agent says why nothing is sent")
    check("unknown, revoked or expired" in agent.said(), f"and what is wrong with it:\n{agent.said()}")
    env = dict(agent.env, LOGBOOM_AGENT_SERVER=agent.url, LOGBOOM_AGENT_TOKEN_FILE=agent.token)
    for _ in range(7):  # more than a guesser may
        done = subprocess.run([home.binary, "doctor", "--data", agent.data, "--config", agent.config], capture_output=True, env=env, check=False)
        check(b"unknown, revoked or expired" in done.stdout, f"doctor: {done.stdout}")
    os.replace(server.token("web-1"), agent.token)
    wait_lines(home, 20)
    append(agent.log("b.log"), lines.next(10))
    wait_lines(home, 30)
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log")), read(agent.log("b.log"))])


def test_enrolment(home):
    """The printed line makes a host an agent, once; the agent's token reads nothing; files and rules of the agent are seen on the server."""
    server = Server(home)
    server.start()
    agent, lines = enrolled(server, "web-1"), Lines()
    for other in (agent, Agent(server, "web-2", token="none")):
        done = home.run(*agent.line[1:], env=other.env, code=3)
        check(b"used already" in done.stderr, f"a second time: {done.stderr!r}")
    again = home.run("token", "create", "--agent").stdout.decode().split()
    done = home.run(*again[1:], env=agent.env, code=3)
    check(b"an agent of this server already" in done.stderr, f"twice the same host: {done.stderr!r}")
    folder = agent.root
    own = read(os.path.join(folder, "agent.token")).strip().decode()
    check(os.stat(os.path.join(folder, "agent.token")).st_mode & 0o777 == 0o600, "the token is its owner's alone")
    for target in ("status", "agents", "search?q=", "agents/web-1/rules"):
        status = ask(server, own, "GET", f"/api/v1/{target}")
        check(status == 403, f"an agent's token on {target}: {status}")
    append(agent.log("a.log"), lines.next(100))
    agent.start()
    home.run("rules", "add", os.path.join(agent.logs, "*.log"), "--host", "web-1")
    wait_lines(home, 100)
    # A report comes every two seconds: the first one with the rules may be of the moment before the file was sent.
    wanted = {"rules_applied": 1, "online": True, "files": 1, "lag_bytes": 0, "problem": ""}
    home.wait_until(lambda: fleet_of(home)["web-1"].items() >= wanted.items(), f"what the agent does is reported: {wanted}")
    shown = home.run("fleet", "web-1").stdout.decode()
    check(agent.log("a.log") in shown and "web-1" in shown, f"logboom fleet web-1: {shown}")
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log"))])


def test_a_token_enrols_one_host_however_many_come_at_once(home):
    """Twenty hosts enrol at the same moment with one printed token: one becomes an agent."""
    server = Server(home)
    server.start()
    for _ in range(5):
        token = home.run("token", "create", "--agent").stdout.decode().split()[3]
        start, codes = threading.Barrier(20), []

        def enrol(number, token=token, start=start, codes=codes):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            start.wait()
            connection.request("POST", "/api/v1/agent/enroll", json.dumps({"agent": f"{number:032x}", "name": f"web-{number}"}),
                               {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
            codes.append(connection.getresponse().status)

        first = len(home.json("fleet")) * 100 + 1
        threads = [threading.Thread(target=enrol, args=(first + n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Who comes when it is used up is a guesser, and guessers are made to wait.
        check(codes.count(201) == 1 and len(codes) == 20 and set(codes) <= {201, 401, 429}, f"the answers: {sorted(codes)}")
    check(len(home.json("fleet")) == 5, "one agent for each token")
    server.stop()


@faults("X9")
def test_a_line_with_another_fingerprint_spends_no_token(home):
    """The printed line with a wrong fingerprint, none, or a cut token enrols nobody and leaves nothing behind; as it was printed it still works."""
    server = Server(home, listen="0.0.0.0")
    server.start()
    agent = Agent(server, "web-1", token="made by enroll")
    os.unlink(agent.config)
    line = home.run("token", "create", "--agent").stdout.decode().split()
    line[2] = server.url
    pin = line.index("--tls-fingerprint")
    for wrong, told in ((line[:pin + 1] + ["0" * 64], b"it is not the server that is expected"), (line[:pin], b"not signed by an authority known here"),
                        (line[:3] + [line[3][:-1]] + line[4:], b"does not take this token")):
        done = home.run(*wrong[1:], env=agent.env, code=3)
        check(told in done.stderr, f"{wrong}: {done.stderr!r}")
        check(not [name for name in os.listdir(agent.root) if name.startswith("agent.token") or name == "agent.yaml"], f"nothing is left: {os.listdir(agent.root)}")
    home.run(*line[1:], env=agent.env)
    check(fleet_of(home)["web-1"]["rules_desired"] == 0 and os.path.exists(agent.config), "as it was printed it works")
    server.stop()


@faults("X9")
def test_an_agent_over_tls(home):
    """A server that listens for other hosts makes itself a certificate; the printed line pins it; another fingerprint, no pin, and plain HTTP get
    nowhere and are told why; the pin holds over restarts and a renewed certificate."""
    server = Server(home, listen="0.0.0.0")
    server.start()
    agent, lines = enrolled(server, "web-1"), Lines()
    pin = agent.line[agent.line.index("--tls-fingerprint") + 1]
    check(f"fingerprint sha256:{pin}" in home.up_log(), f"the server prints its fingerprint: {home.up_log()}")
    check(os.stat(os.path.join(home.data, "tls.key")).st_mode & 0o777 == 0o600, "the key is its owner's alone")
    home.run("rules", "add", os.path.join(agent.logs, "*.log"), "--host", "web-1")
    append(agent.log("a.log"), lines.next(500))
    agent.start()
    wait_lines(home, 500)
    agent.stop()
    config = os.path.join(agent.root, "agent.yaml")
    good = read(config).decode()
    check(pin in good and server.url in good, f"agent.yaml pins the server: {good}")
    append(agent.log("a.log"), lines.next(100))
    for bad, told in ((good.replace(pin, "0" * 64), "it is not the server that is expected"),
                      (good.replace(f"  tls_fingerprint: {pin}\n", ""), "not signed by an authority known here"),
                      (good.replace("https://", "http://"), "this port speaks TLS")):
        with open(config, "w") as f:
            f.write(bad)
        agent.start()
        home.wait_until(lambda: told in agent.said(), f"the agent says: {told}")
        agent.stop()
        check(home.count() == 500, "nothing was sent to a server that was not known")
    with open(config, "w") as f:
        f.write(good)
    server.stop()
    os.unlink(os.path.join(home.data, "tls.crt"))  # renewed: the key stays
    server.start()
    agent.start()
    wait_lines(home, 600)
    reader = os.path.join(home.root, "reader.token")
    with open(reader, "wb") as f:
        f.write(home.run("token", "create", "reader").stdout)
    remote = ("--server", server.url, "--token-file", reader)
    check(home.run("search", "--count", *remote, "--tls-fingerprint", pin).stdout.strip() == b"600", "commands pin the server, too")
    done = home.run("search", "--count", *remote, code=3)
    check(b"pin its fingerprint " + pin.encode() in done.stderr, f"without it: {done.stderr!r}")
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log"))])


@faults("X9")
def test_a_given_certificate(home):
    """A certificate of an authority of one's own: agents name the authority, the server makes none of its own and pins none."""
    made = subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem && "
                          "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -keyout key.pem -out request.pem && "
                          "printf subjectAltName=IP:127.0.0.1 > names && openssl x509 -req -days 2 -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial "
                          "-extfile names -out cert.pem", shell=True, cwd=home.root, capture_output=True)
    check(made.returncode == 0, f"openssl: {made.stderr!r}")
    server = Server(home, listen="0.0.0.0")
    server.start("--tls-cert", os.path.join(home.root, "cert.pem"), "--tls-key", os.path.join(home.root, "key.pem"))
    check(not os.path.exists(os.path.join(home.data, "tls.key")), "it makes none of its own")
    line = home.run("token", "create", "--agent").stdout.decode().split()
    check("--tls-fingerprint" not in line, f"an authority's certificate is not pinned: {line}")
    agent, lines = Agent(server, "web-1"), Lines()
    append(agent.log("a.log"), lines.next(100))
    agent.start("--tls-ca", os.path.join(home.root, "ca.pem"))
    wait_lines(home, 100)
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log"))])


def test_behind_a_proxy(home):
    """With an address of its own for other hosts the printed lines lead there and pin nothing: what agents meet is the proxy's certificate."""
    server = Server(home, listen="0.0.0.0")
    server.start("--public-url", "https://logs.example.com/boom")
    for words, wanted in (((), r"logboom enroll https://logs\.example\.com/boom lb_\S+"),
                          (("--install",), r"curl -fsS https://logs\.example\.com/boom/install\.sh \| sh -s -- lb_\S+")):
        line = home.run("token", "create", "--agent", *words).stdout.decode().strip()
        check(re.fullmatch(wanted, line), f"the line is {line!r}")
    server.stop()


def test_the_installer(home):
    """The line of `token create --agent --install` fetches the program from the server and enrols the host, once; another server's is not taken."""
    server = Server(home, listen="0.0.0.0")
    server.start()
    line = home.run("token", "create", "--agent", "--install").stdout.decode().strip()
    check(line.startswith("curl ") and "/install.sh | sh -s -- lb_" in line and "--pinnedpubkey" in line, f"the line is {line}")
    agent = Agent(server, "web-1", token="made by enroll")
    os.unlink(agent.config)
    folder = os.path.join(home.root, "bin")
    os.mkdir(folder)
    env = dict(agent.env, LOGBOOM_INSTALL_TO=folder, no_proxy="*")
    printed = re.search(r"https://[^/ ]+", line)[0]

    def shell(command):
        # This host's name need not be known to it, here and in the script.
        script = command.replace("| sh", f"| sed 's|{printed}|{server.url}|g' | sh").replace(printed + "/install", server.url + "/install")
        return subprocess.run(["sh", "-c", script], env=env, cwd=agent.root, capture_output=True, timeout=120)
    pin = re.search(r"sha256//(\S+)", line)[1]
    done = shell(line.replace(pin, "A" * 43 + "="))
    check(b"does not match pinned public key" in done.stderr and not os.listdir(folder), f"another key is refused: {done}")
    done = shell(line)
    check(done.returncode == 0 and b"enrolled" in done.stdout, f"the installer says {done}")
    with open(home.binary, "rb") as ours, open(os.path.join(folder, "logboom"), "rb") as theirs:
        check(ours.read() == theirs.read(), "the program came whole")
    done = shell(line)
    check(done.returncode != 0 and b"used already" in done.stderr, f"a second time: {done}")
    agent.token, lines = None, Lines()
    append(agent.log("a.log"), lines.next(10))
    home.run("rules", "add", agent.log("a.log"), "--host", "web-1")
    agent.start()
    wait_lines(home, 10)
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log"))])


def test_tls_can_be_left_off(home):
    """Only who says so gets plain HTTP off loopback, with a warning; a key without its certificate is refused."""
    server = Server(home, listen="0.0.0.0")
    server.url = server.url.replace("https", "http")
    server.start("--server.tls", "off")
    check("serving without TLS to other hosts" in home.up_log(), f"the warning: {home.up_log()}")
    agent, lines = Agent(server, "web-1"), Lines()
    append(agent.log("a.log"), lines.next(100))
    agent.start()
    wait_lines(home, 100)
    agent.stop()
    server.stop()
    with open(os.path.join(home.data, "tls.crt"), "w") as f:
        f.write("left over")
    done = home.run("server", "--listen", f"0.0.0.0:{server.port}", code=3)
    check(b"tls.crt is there without its key" in done.stderr, f"{done.stderr!r}")


@faults("X6")
def test_rules_from_the_server(home):
    """Rules kept by the server: each change is applied within a second, a path outside the host's roots is refused and said, the last good ones
    stay over a restart without a server, history and restore, many hosts at once with a dry run."""
    server = Server(home)
    server.start()
    agents = [enrolled(server, f"web-{n}") for n in (1, 2)]
    one, lines = agents[0], Lines()
    with open(one.config) as f:
        text = f.read().replace("roots: []", f"roots: [{one.logs}]")
    with open(one.config, "w") as f:
        f.write(text)
    for agent in agents:
        agent.start()
    home.wait_until(lambda: all(a["online"] for a in fleet_of(home).values()) and len(fleet_of(home)) == 2, "both are online")
    dry = home.run("rules", "add", "/nowhere/x.log", "--hosts", "web-*", "--dry-run").stdout.decode()
    check(dry.count("+ logs:/nowhere/x.log") == 2, f"the dry run says {dry!r}")
    check("revision 0" in home.run("rules", "list", "--host", "web-1").stdout.decode(), "a dry run changes nothing")
    home.run("rules", "add", one.log("a.log"), "--name", "a", "--host", "web-1")
    append(one.log("a.log"), lines.next(10))
    append(one.log("b.log"), lines.next(10))
    wait_lines(home, 10)
    home.run("rules", "add", one.log("b.log"), "--name", "b", "--host", "web-1")
    wait_lines(home, 20)
    preview = home.run("rules", "add", "/etc/passwd", "--name", "spy", "--host", "web-1", "--dry-run").stdout.decode()
    check("+ spy /etc/passwd" in preview and "web-1: 3 files, " in preview, f"the agent says what it would collect: {preview}")
    check(re.search(r"/etc/passwd\n +not read: it lies outside the roots", preview) and re.search(rf"0\.0 lines/s  logs +{one.log('a.log')}\n", preview),
          f"and what not: {preview}")
    home.run("rules", "add", "/etc/passwd", "--name", "spy", "--host", "web-1")
    home.wait_until(lambda: "outside the roots" in one.said(), "the agent refuses")
    home.wait_until(lambda: "outside the roots" in fleet_of(home)["web-1"]["rules_problem"], "and the server knows")
    check(fleet_of(home)["web-1"]["rules_applied"] == 2 and fleet_of(home)["web-1"]["rules_desired"] == 3, f"{fleet_of(home)['web-1']}")
    home.run("rules", "restore", "2", "--host", "web-1")
    home.wait_until(lambda: fleet_of(home)["web-1"]["rules_problem"] == "", "the good rules again")
    history = home.run("rules", "history", "--host", "web-1").stdout.decode()
    check(len(history.splitlines()) == 4 and f"uid:{os.getuid()}" in history, f"the history says {history}")
    stale = os.path.join(home.root, "stale.yaml")
    with open(stale, "w") as f:
        f.write(f"collect:\n  items:\n    - path: {one.log('a.log')}\n")
    done = home.run("rules", "put", stale, "--host", "web-1", "--revision", "1", code=3)
    check(b"at revision 4" in done.stderr, f"a stale edit: {done.stderr!r}")
    one.stop()
    server.stop()
    append(one.log("a.log"), lines.next(10))
    check(b"web-1: added c; in force" in home.run("rules", "add", one.log("c.log"), "--name", "c", "--host", "web-1").stdout, "without a server")
    check("revision 5" in home.run("rules", "list", "--host", "web-1").stdout.decode(), "the files say so")
    check(b"the folder of an agent" in home.run("rules", "list", "--data", one.data, code=2).stderr, "an agent's rules are elsewhere")
    append(one.log("c.log"), lines.next(10))
    one.start()
    server.start()
    wait_lines(home, 40)
    home.run("rules", "add", "/nowhere/y.log", "--name", "y", "--host", "web-2")
    done = home.run("rules", "add", "/nowhere/y.log", "--name", "y", "--hosts", "web-*", code=2)
    check(b"web-1: added y" in done.stdout and b"web-2: there is a rule 'y' already" in done.stderr and b"1 of 2 hosts are changed" in done.stderr, f"{done}")
    done = home.run("rules", "put", stale, "--hosts", "web-*", "--revision", "6", code=3)
    check(b"web-1: 1 rule for it to follow" in done.stdout and b"web-2: the rules are at revision 1, not 6" in done.stderr, f"each is compared for itself: {done}")
    for agent in agents:
        agent.stop()
    server.stop()
    oracle(home, lines.made, [read(one.log("a.log")), read(one.log("b.log"))])


def ask(server, token, method, target):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(method, target, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_the_pages_commands(home):
    """docs/fleet.md followed to the letter: every command it shows, on the host it names."""
    server = Server(home, listen="0.0.0.0")
    agent, lines = Agent(server, "web-1", token="made by enroll"), Lines()
    os.unlink(agent.config)
    append(agent.log("a.log"), lines.next(50))
    append(agent.log("b.err"), b"not collected\n")
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", "fleet.md")) as f:
        commands = re.findall(r"^(server|web-1)\$ (.+)$", f.read(), re.M)
    check(len(commands) >= 10, f"{len(commands)} commands on the page")
    said = printed = ""
    for host, command in commands:
        line = command.replace("server:7117", f"127.0.0.1:{server.port}").replace("/var/log/app", agent.logs)
        if "lb_TOKEN" in line:
            printed = said.split()
            line = line.replace("lb_TOKEN", printed[3]).replace("FINGERPRINT", printed[5])
        words = shlex.split(line)[1:]
        if words[0] == "server":
            server.start()
        elif words[0] == "agent":
            agent.token = None
            agent.start()
            home.wait_until(lambda: fleet_of(home)["web-1"]["online"], "the agent is there")
        else:
            if words[0] == "fleet":
                wait_lines(home, 50)
                home.wait_until(lambda: fleet_of(home)["web-1"]["rules_applied"] == 1, "the state is told")
            said = home.run(*words, env=agent.env if host == "web-1" else home.env).stdout.decode()
    check(said.strip() == "50", f"the search counts {said!r}")
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("a.log"))])
