"""Rules in a real etcd: put by anybody, followed within seconds, kept over every loss of etcd; and the INI files of the system before."""
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import etcd
from certificates import make_certificates
from cases_kafka import TopicAgent, Transfer, broker_of
from faults import faults
from fleet import Agent, Server
from oracle import Lines, append, check_audit, check_lines, oracle, read, wait_lines
from product import Home, check, free_port, need_server, tool

SOON = 2  # seconds, as a rule: a change applies within one, and its lines are searchable; a machine may stand still at times


def etcd_of(home):
    need_server(etcd)
    member = etcd.Etcd(os.path.join(home.root, "etcd"), (free_port(), free_port()))
    start_again(home, member)
    return member


def start_again(home, member):
    home.running.append(member.start())


def kill(home, member):
    home.kill(member.process)


def own_ip():
    """As the product finds it: the way to the world, else to etcd on this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("8.8.8.8", 80))
        except OSError:
            s.connect(("127.0.0.1", 2379))
        return s.getsockname()[0]


class Collector:
    """`logboom up` with rules from etcd; its first endpoint is down, always."""

    def __init__(self, home, member):
        self.home = home
        self.config = os.path.join(home.root, "logboom.yaml")
        with open(self.config, "w") as f:
            f.write(f"rules: {{from: etcd}}\netcd: {{endpoints: ['127.0.0.1:{free_port()}', '{member.url}']}}\n"
                    f"collect: {{roots: ['{home.logs}']}}\n")
        self.process = None

    def start(self):
        self.process = self.home.start("--config", self.config)

    def stop(self):
        self.home.stop(self.process)

    def rules(self, *words, code=0):
        return self.home.run("rules", *words, "--config", self.config, code=code).stdout.decode()

    def problem(self):
        return self.home.json("status")["pipeline"]["rules_problem"]

    def says(self, what):
        self.home.wait_until(lambda: what in self.problem(), f"the status says: {what}")


def item(path, **more):
    return {"path": path, "topic": "web_log", **more}


@faults("C2", "B34", "X5", "X6")
def test_rules_that_others_put(home):
    """Items put into etcd under this host's IP by anybody are followed within two seconds; what cannot be used changes nothing and is said."""
    member = etcd_of(home)
    collector, lines = Collector(home, member), Lines()
    key = f"collect_log_{own_ip()}_conf"
    collector.start()
    took = []

    def comes():
        began = time.monotonic()
        wait_lines(home, len(lines.made))
        took.append(time.monotonic() - began)

    append(home.log("a.log"), lines.next(10))
    member.put(key, [item(home.log("a.log"))])
    comes()
    append(home.log("b.log"), lines.next(10))
    member.put(key, [item(home.log("a.log")), item(home.log("b.log"), exlude="x")])
    comes()
    collector.says("did you mean 'exclude'?")
    for value, said in (("[{\"path\":", "not JSON"), ("{}", "no list"), ([item("D:/logs/a.log")], "Windows path"),
                        ([item("/etc/passwd")], "outside the roots"), ([item(home.logs + "/../../../etc/passwd")], "outside the roots"),
                        ([{"topic": "x"}], "needs a 'path:'")):
        member.put(key, value)
        collector.says(said)
        append(home.log("a.log"), lines.next(5))
        comes()
    check(home.count("root:x:0:0") == 0, "nothing outside the roots was read")
    member.put(key, [item(home.log("b.log"))])
    home.wait_until(lambda: collector.problem() == "", "all is well again")
    append(home.log("b.log"), lines.next(5))
    comes()
    member.delete(key)
    home.wait_until(lambda: "web_log" not in home.run("rules", "get").stdout.decode(), "a delete empties")
    append(home.log("b.log"), b"not collected\n")
    time.sleep(0.5)
    check(home.count("collected") == 0, "what no rule names is not read")
    member.put(key, [item(home.log("*.log"), exclude="not collected")])
    append(home.log("c.log"), lines.next(5))
    comes()
    check(sorted(took)[len(took) // 2] <= SOON, f"the changes took {took} s")
    collector.stop()
    check_lines(home, lines.made)


@faults("C6")
def test_a_change_applies_whole(home):
    """All of a host's rules are one key: while they change over and over, alone and in transactions with another host's, only whole sets are in
    force, and what is half written changes nothing."""
    member = etcd_of(home)
    collector, lines = Collector(home, member), Lines()
    key, other = f"collect_log_{own_ip()}_conf", "collect_log_10.9.9.9_conf"
    sets = {letter: [item(home.log(f"{letter}-{n}.log")) for n in range(5)] for letter in "ab"}
    member.put(key, sets["a"])
    collector.start()

    def in_force(put):
        revision = int(put["header"]["revision"])
        home.wait_until(lambda: home.json("status")["pipeline"]["rules_revision"] == revision, f"revision {revision} is in force")

    for number in range(24):
        letter = "ab"[number % 2]
        if number % 3 == 0:
            put = member.call("/v3/kv/txn", {"success": [{"requestPut": {"key": etcd.b64(k), "value": etcd.b64(json.dumps(v))}}
                                                         for k, v in ((other, [item("/srv/x.log")]), (key, sets[letter]))]})
        else:
            put = member.put(key, sets[letter])
        if number % 8 == 7:
            in_force(put)
            member.put(key, json.dumps(sets["a"])[:200])  # half of the other one
            collector.says("not JSON")
            append(home.log(f"{letter}-4.log"), lines.next(5))
            wait_lines(home, len(lines.made))
    in_force(member.put(key, sets["b"]))
    append(home.log("b-3.log"), lines.next(10))
    append(home.log("a-3.log"), b"not collected\n")
    wait_lines(home, len(lines.made))
    collector.stop()
    changes = re.findall(r"rules revision \d+: (\d+) started, (\d+) changed, (\d+) stopped", home.up_log())
    check(len(changes) >= 4 and all(change in (("5", "0", "0"), ("5", "0", "5")) for change in changes), f"a mixture was in force: {changes}")
    oracle(home, lines.made, [read(home.log("b-3.log")), read(home.log("b-4.log"))])


@faults("C2", "C3", "C4")
def test_etcd_is_killed_wiped_and_compacted(home):
    """Collection goes on with the last good rules whatever becomes of etcd, over restarts of the program too; afterwards changes are followed again."""
    member = etcd_of(home)
    collector, lines = Collector(home, member), Lines()
    key = f"collect_log_{own_ip()}_conf"
    member.put(key, [item(home.log("a.log"))])
    collector.start()

    def more(name="a.log"):
        append(home.log(name), lines.next(10))
        wait_lines(home, len(lines.made))

    more()
    kill(home, member)
    more()
    collector.says("no rules from etcd")
    collector.stop()
    collector.start()
    more()
    start_again(home, member)
    for n in range(20):
        member.put(key, [item(home.log("a.log")), item(home.log(f"{n}.log"))])
    member.compact()
    more("19.log")
    kill(home, member)
    member.wipe()
    start_again(home, member)
    collector.says("wiped or restored")
    more("19.log")
    collector.stop()
    collector.start()
    collector.says("wiped or restored")
    more("19.log")
    member.put(key, [item(home.log("a.log")), item(home.log("19.log")), item(home.log("z.log"))])
    home.wait_until(lambda: collector.problem() == "", "the alarm is over")
    more("z.log")
    collector.stop()
    oracle(home, lines.made, [read(home.log(name)) for name in ("a.log", "19.log", "z.log")])


@faults("C2")
def test_members_of_a_cluster_are_lost_in_turn(home):
    """An etcd of three: each member is killed once and comes back; what is put on the others meanwhile is followed, and no change is lost or undone by
    a member that was away."""
    need_server(etcd)
    members, lines = etcd.Etcd.cluster(home.root, [(free_port(), free_port()) for _ in range(3)]), Lines()
    starting = [threading.Thread(target=start_again, args=(home, member)) for member in members]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    config, key = os.path.join(home.root, "logboom.yaml"), "collect_log_10.0.0.7_conf"
    with open(config, "w") as f:
        f.write(f"rules: {{from: etcd}}\netcd: {{endpoints: {[m.url for m in members]}}}\nagent: {{ip: 10.0.0.7}}\ncollect: {{roots: ['{home.logs}']}}\n")
    process = home.start("--config", config)

    def put(member, value):
        try:
            return member.put(key, value)
        except (OSError, RuntimeError):
            return None  # there is no leader yet

    def followed(member, name):
        home.wait_until(lambda: put(member, [item(home.log(name))]), "the others take a change", 60)
        append(home.log(name), lines.next(10))
        wait_lines(home, len(lines.made))

    for n, lost in enumerate(members):
        kill(home, lost)
        followed(members[(n + 1) % 3], f"{n}-lost.log")
        start_again(home, lost)
        followed(lost, f"{n}-back.log")
    check(home.json("status")["pipeline"]["rules_problem"] == "", "all is well in the end")
    home.stop(process)
    started = re.findall(r"rules revision \d+: (\d+) started", home.up_log())
    check(started == ["1"] * 6, f"each change once: {started}")
    oracle(home, lines.made, [read(home.log(f"{n}-{what}.log")) for n in range(3) for what in ("lost", "back")])


def test_the_rules_command_on_etcd(home):
    """`logboom rules` works on etcd by itself: what it writes others can read, compare-and-set, history with authors, many hosts with a dry run."""
    member = etcd_of(home)
    collector = Collector(home, member)
    check("revision 0" in collector.rules("list"), "no rules yet")
    collector.rules("add", "/srv/a.log", "--topic", "web_log", "--host", "10.0.0.1")
    check(json.loads(member.get("collect_log_10.0.0.1_conf")) == [item("/srv/a.log", start="beginning")], "an item as others write it")
    member.put("collect_log_10.0.0.2_conf", [item("/srv/b.log")])
    dry = collector.rules("add", "/srv/c.log", "--hosts", "10.0.0.*", "--dry-run")
    check(dry.count("+ logs:/srv/c.log") == 2 and "10.0.0.2" in dry, f"the dry run says {dry}")
    check("c.log" not in member.get("collect_log_10.0.0.2_conf"), "a dry run changes nothing")
    collector.rules("add", "/srv/c.log", "--hosts", "10.0.0.*")
    check(all("c.log" in member.get(f"collect_log_10.0.0.{n}_conf") for n in (1, 2)), "both hosts have it")
    history = collector.rules("history", "--host", "10.0.0.2").splitlines()
    check(len(history) == 2 and " etcd " in history[0] and f"{os.environ.get('USER', 'root')}@" in history[1], f"the history says {history}")
    first = history[0].split()[0]
    collector.rules("restore", first, "--host", "10.0.0.2")
    check([i["path"] for i in json.loads(member.get("collect_log_10.0.0.2_conf"))] == ["/srv/b.log"], "the first set is back")
    stale = os.path.join(home.root, "stale.yaml")
    with open(stale, "w") as f:
        f.write("collect:\n  items:\n    - path: /srv/d.log\n")
    done = home.run("rules", "put", stale, "--host", "10.0.0.2", "--revision", first, "--config", collector.config, code=3)
    check(b"read them again" in done.stderr, f"a stale edit: {done.stderr!r}")
    done = home.run("rules", "put", stale, "--hosts", "10.0.0.*", "--revision", first, "--config", collector.config, code=3)
    check(done.stderr.count(b"read them again") == 2 and b"0 of 2 hosts are changed" in done.stderr, f"each is compared for itself: {done.stderr!r}")
    done = home.run("rules", "remove", "logs:/srv/c.log", "--hosts", "10.0.0.*", "--config", collector.config, code=1)
    check(b"10.0.0.1: removed" in done.stdout and b"10.0.0.2: there is no rule" in done.stderr and b"1 of 2 hosts are changed" in done.stderr, f"{done}")
    member.put("collect_log_10.0.0.2_conf", "[")
    done = home.run("rules", "list", "--host", "10.0.0.2", "--config", collector.config)
    check(b"not JSON" in done.stderr, f"a broken value is said: {done.stderr!r}")
    collector.rules("put", stale, "--host", "10.0.0.2")
    collector.rules("remove", "logs:/srv/d.log", "--host", "10.0.0.2")
    check(member.get("collect_log_10.0.0.2_conf") == "[]", "an empty list is left")
    kill(home, member)
    done = home.run("rules", "list", "--config", collector.config, code=3)
    check(b"cannot connect" in done.stderr, f"without etcd: {done.stderr!r}")


def test_what_strangers_write_in_etcd_takes_nothing_from_people(home):
    """Keys of others under logboom's prefixes and under the template, and words of no agent: the fleet is shown, rules go to hosts alone; of two hosts
    with one name neither is taken for the other."""
    member = etcd_of(home)
    collector = Collector(home, member)
    words = {"name": "web-1", "role": "agent", "rules": {"from": "etcd", "revision": 3}, "version": "1\x1b[2J"}
    member.put("/logboom/hosts/10.0.0.1", words)
    member.put("/logboom/hosts/10.0.0.1/transfer-0badcafe", dict(words, role="transfer", topics=[{"topic": "web", "partition": 0, "stored": 4, "end": 9, "lag": 5}], lag_messages=5))
    member.put("/logboom/hosts/10.0.0.2", '{"role": 7, "name": [], "topics": [7], "rules": 1, "version": {}}')
    member.put("/logboom/hosts/10.0.0.3/transfer-0badcafe", {"role": "agent", "name": "t", "topics": [7, {"topic": 5}]})
    member.put("/logboom/hosts/10.0.0.4", "[" * 100000)
    for key in (b"/logboom/hosts/\xff", "/logboom/hosts/", "/logboom/hosts/a/b/c", b"collect_log_\xff_conf", "collect_log_../../x_conf", "collect_log_a,b_conf"):
        member.put(key, '{"name": "n"}')

    def fleet(*words):
        return home.run("fleet", *words, "--config", collector.config).stdout.decode()

    rows = fleet().splitlines()[1:]
    check(len(rows) == 5 and "\x1b" not in "".join(rows), f"hosts and transfers: {rows}")
    check(re.search(r"^web +0 +4 +9 +5$", fleet("10.0.0.1/transfer-0badcafe"), re.M), "a transfer's partitions are shown")
    check("transfer" in fleet("10.0.0.3/transfer-0badcafe") and "10.0.0.2" in fleet("10.0.0.2"), "what cannot be read is left out")
    collector.rules("add", "/srv/a.log", "--hosts", "*")
    check(sorted(key for key in member.keys("collect_log_") if "10." in key) == [f"collect_log_10.0.0.{n}_conf" for n in (1, 2, 4)], "hosts alone got rules")
    check("/srv/a.log" in collector.rules("list", "--host", "web-1"), "a transfer of that name is no second host")
    member.put("/logboom/hosts/10.0.0.5", words)
    done = home.run("rules", "add", "/srv/b.log", "--host", "web-1", "--config", collector.config, code=2)
    check(b"2 hosts have the name web-1; name one by its IP: 10.0.0.1, 10.0.0.5" in done.stderr, f"{done}")
    done = home.run("rules", "add", b"/srv/\xff.log", "--host", "10.0.0.1", "--config", collector.config, code=2)
    check(b"is not UTF-8" in done.stderr, f"{done}")
    for n, value in enumerate(('{"time": "x"}', "[]", '{"revision": -5, "time": 1e300, "author": 7, "value": 8}', "[" * 100000)):
        member.put(f"/logboom/history/collect_log_10.0.0.1_conf/{n:020}", value)
    check(f"{os.environ.get('USER', 'root')}@" in collector.rules("history", "--host", "10.0.0.1"), "the history is shown")


def page_commands(page, hosts):
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", page)) as f:
        return re.findall(rf"^({'|'.join(hosts)})\$ (.+)$", f.read(), re.M)


def test_the_commands_of_fleet_md(home):
    """What docs/fleet.md shows on etcd, to the letter: the rules put there are those of the running collector."""
    member = etcd_of(home)
    config = os.path.join(home.root, "agent.yaml")
    with open(config, "w") as f:
        f.write(f"rules: {{from: etcd}}\netcd: {{endpoints: ['127.0.0.1:{member.port}']}}\nagent: {{ip: 10.0.0.7}}\ncollect: {{roots: ['{home.logs}']}}\n")
    process = home.start("--config", config)
    append(home.log("a.log"), b"one line\n")
    append(home.log("b.err"), b"one error\n")
    commands = page_commands("fleet.md", ["web-2"])
    check(len(commands) == 6, f"{len(commands)} commands on the page")
    said = []
    for _, command in commands:
        words = shlex.split(command.replace("/var/log/app", home.logs))
        if words[0] == "etcdctl":
            subprocess.run([tool("etcdctl"), "--endpoints", member.url, *words[1:]], check=True, stdout=subprocess.DEVNULL)
        else:
            said.append(home.run(*words[1:]).stdout.decode())
    check("no rules for 10.0.0.7 yet" in said[0] and "rules from elsewhere stay in" in said[0], f"doctor says {said[0]}")
    check(home.log("a.log") in said[1] and "+ errors:" in said[2] and " etcd " in said[4], f"the commands say {said}")
    wait_lines(home, 2)
    home.stop(process)


def missing_of(home, path):
    """What the audit finds of it."""
    return [line for line in check_audit(home, code=1).splitlines() if line.startswith("FINDING") and path in line]


def lose_messages(home, broker, agent, transfer, lines):
    """A file whose 300 lines in the middle are gone from the topic before the transfer came to them."""
    path = agent.log("web-a.log")
    append(path, lines.next(100))
    agent.start()
    transfer.start()
    wait_lines(home, 100)
    transfer.stop()
    append(path, lines.next(300))
    home.wait_until(lambda: broker.admin("ends", "web") == ["0 400"], "the lines are in the topic")
    broker.admin("truncate", "web")
    append(path, lines.next(50))
    transfer.start()
    wait_lines(home, 150)
    check(missing_of(home, "web-a.log"), "the file has a gap")


@faults("T12")
def test_gaps_are_asked_for_over_etcd(home):
    """Messages are gone before the transfer came to them, and no server stands between: the agent is asked over etcd, reads the range again, and every
    line is stored once. What nobody can read there is removed and changes nothing."""
    member, broker = etcd_of(home), broker_of(home)
    broker.admin("create", "web", 1)
    central = ["--rules.from", "etcd", "--etcd.endpoints", member.url]
    agent = TopicAgent(home, broker, "web-1", ["web"], *central, "--agent.ip", "10.0.0.7")
    transfer, lines = Transfer(home, broker, ["web"], *central, "--agent.ip", "10.0.0.8"), Lines()
    key = "/logboom/repairs/10.0.0.7"
    lose_messages(home, broker, agent, transfer, lines)
    done = home.run("repair", "--host", "web-2", code=None)
    check(done.returncode != 0 and b"no agent web-2 is there" in done.stderr, f"{done}")
    member.put(key, "[{")
    home.wait_until(lambda: member.get(key) is None and "cannot be read" in agent.said(), "a request that cannot be read goes", 60)
    done = home.run("repair", "--host", "web-1")
    check(b"web-1 is asked to send" in done.stdout, f"{done}")
    wait_lines(home, 450, seconds=60)
    home.wait_until(lambda: member.get(key) is None, "the request is followed", 60)
    home.wait_until(lambda: not missing_of(home, "web-a.log"), "nothing is missing of the file", 20)
    check(missing_of(home, "kafka://web/0"), "what is missing of the partition stays so")
    check(b"nothing is missing" in home.run("repair", "--host", "10.0.0.7").stdout, "and the transfer knows")
    agent.stop()
    transfer.stop()
    check_lines(home, lines.made)


@faults("T12")
def test_gaps_are_asked_for_by_the_server(home):
    """The same where agent and transfer report to a server, and there is no etcd: the request goes by it, also over a kill of the agent. An agent that
    is away is not asked, and only a transfer asks."""
    there = Home(home.binary, "logboom-test-server-")
    try:
        broker, server = broker_of(home), Server(there)
        broker.admin("create", "web", 1)
        server.start()
        told = {name: ["--agent.server", server.url, "--agent.token_file", server.token(name)] for name in ("web-1", "transfer")}
        agent = TopicAgent(home, broker, "web-1", ["web"], *told["web-1"])
        transfer, lines = Transfer(home, broker, ["web"], *told["transfer"]), Lines()
        lose_messages(home, broker, agent, transfer, lines)
        there.wait_until(lambda: sorted(a["role"] for a in there.json("fleet")) == ["agent", "transfer"], "both report")
        done = home.run("repair", "--host", "web-2", code=None)
        check(done.returncode != 0 and b"nothing of an agent web-2" in done.stderr, f"{done}")
        done = there.run("repair", "--host", "web-1", code=None)
        check(done.returncode != 0 and b"beside the transfer" in done.stderr, f"on the server itself: {done}")
        agent.kill()
        there.wait_until(lambda: not [a for a in there.json("fleet") if a["role"] == "agent"][0]["online"], "the agent is away", 60)
        done = home.run("repair", "--host", "web-1", code=None)
        check(done.returncode != 0 and b"web-1 is away" in done.stderr, f"{done}")
        agent.start()
        there.wait_until(lambda: [a for a in there.json("fleet") if a["role"] == "agent"][0]["online"], "the agent is back")
        done = home.run("repair", "--host", "web-1")
        check(b"web-1 is asked to send" in done.stdout, f"{done}")
        wait_lines(home, 450, seconds=60)
        home.wait_until(lambda: not missing_of(home, "web-a.log"), "nothing is missing of the file", 20)
        check(b"nothing is missing" in home.run("repair", "--host", "web-1").stdout, "and the transfer knows")
        check(agent.said().count("asked for by the server") == 1, "the agent follows once")
        identity = [a["id"] for a in there.json("fleet") if a["role"] == "agent"][0]
        with open(told["web-1"][-1]) as f:
            wanted = urllib.request.Request(server.url + "/api/v1/agent/repairs", b'{"agent": "web-1", "ranges": []}', {
                "Authorization": "Bearer " + f.read().strip(), "Logboom-Agent": identity, "Content-Type": "application/json"})
        try:
            urllib.request.urlopen(wanted)
            check(False, "an agent asks")
        except urllib.error.HTTPError as refusal:
            check(b"only a transfer" in refusal.read(), "an agent asks nobody")
        agent.stop()
        transfer.stop()
        server.stop()
        check_lines(home, lines.made)
    finally:
        there.close()


def test_a_server_refuses_rules_that_nobody_would_follow(home):
    """An agent that sends to a server may take its rules from etcd: rules put for it on the server are refused, and say where they belong."""
    member, server = etcd_of(home), Server(home)
    server.start()
    agent = Agent(server, "web-1")
    with open(agent.config, "w") as f:
        f.write(f"rules: {{from: etcd}}\netcd: {{endpoints: ['{member.url}']}}\nagent: {{ip: 10.0.0.7}}\ncollect: {{roots: ['{agent.logs}']}}\n")
    agent.start()
    home.wait_until(lambda: [a["rules_from"] for a in home.json("fleet")] == ["etcd"], "the server knows", 20)
    for whose in (["--host", "web-1"], ["--hosts", "web-*"]):
        done = home.run("rules", "add", agent.log("a.log"), *whose, code=3)
        check(b"web-1 takes its rules from etcd" in done.stderr, f"{done}")
    member.put("collect_log_10.0.0.7_conf", [item(agent.log("a.log"))])
    append(agent.log("a.log"), b"one line\n")
    wait_lines(home, 1)
    agent.stop()
    server.stop()


def test_a_dry_run_asks_the_agent_over_etcd(home):
    """With rules in etcd a dry run shows what a running agent says of them, keeps nothing, and does not believe what others write there."""
    member, server = etcd_of(home), Server(home)
    server.start()
    agent = Agent(server, "web-1")
    with open(agent.config, "w") as f:
        f.write(f"rules: {{from: etcd}}\netcd: {{endpoints: ['127.0.0.1:{free_port()}', '{member.url}']}}\nagent: {{ip: 10.0.0.7}}\n"
                f"collect: {{roots: ['{agent.logs}']}}\n")
    for name in ("a.log", "b.log", "c.txt"):
        append(agent.log(name), b"one line\n")
    question = "/logboom/previews/10.0.0.7"

    def dry(path, host="web-1", code=0):
        return home.run("rules", "add", path, "--host", host, "--dry-run", "--config", agent.config, code=code)

    done = dry(agent.log("*.log"), host="10.0.0.7")
    check(b"+ logs:" in done.stdout and b"no agent 10.0.0.7 is there" in done.stderr, f"before it is there: {done}")
    agent.start()
    home.wait_until(lambda: "10.0.0.7" in home.run("fleet", "--config", agent.config).stdout.decode(), "the agent is there")
    done = dry(agent.log("*.log"))
    said = done.stdout.decode()
    check("web-1: 2 files, 0.0 lines/s now" in said and agent.log("a.log") in said and "c.txt" not in said, f"the agent says {done}")
    done = dry("/etc/passwd")
    check(b"not read: it lies outside the roots" in done.stdout, f"roots are the host's own: {done}")
    stale = os.path.join(home.root, "stale.yaml")
    with open(stale, "w") as f:
        f.write(f"collect:\n  items:\n    - path: {agent.log('c.txt')}\n")
    done = home.run("rules", "put", stale, "--host", "web-1", "--dry-run", "--config", agent.config)
    check(b"web-1: 1 file," in done.stdout, f"put, too: {done}")
    member.put(question, "[" * 100000)
    home.wait_until(lambda: member.get(question) is None, "what cannot be read is removed")
    check(b"2 files" in dry(agent.log("*.log")).stdout, "and the next question is answered")
    check([member.get(key) for key in (question, question + "/answer", "collect_log_10.0.0.7_conf")] == [None] * 3, "nothing is kept")
    agent.stop()
    server.stop()


def certificates_in(folder):
    os.makedirs(folder)
    make_certificates(folder)
    return folder


def test_etcd_over_tls_with_certificates_of_clients(home):
    """An etcd that asks for certificates: rules are followed, tried and put over it; its certificate may be renewed; a host without a certificate, with
    one of another authority, or that expects another authority is told so."""
    need_server(etcd)
    good, other = (certificates_in(os.path.join(home.root, name)) for name in ("good", "other"))
    member = etcd.Etcd(os.path.join(home.root, "etcd"), (free_port(), free_port())).guarded(good)
    start_again(home, member)

    def config(name, ca=good, certificate=good):
        path = os.path.join(home.root, name)
        with open(path, "w") as f:
            shown = f", tls_cert: {certificate}/node.pem, tls_key: {certificate}/node.key" if certificate else ""
            f.write(f"rules: {{from: etcd}}\netcd: {{endpoints: ['127.0.0.1:{member.port}'], tls_ca: {ca}/ca.pem{shown}}}\nagent: {{ip: 10.0.0.7}}\n"
                    f"collect: {{roots: ['{home.logs}']}}\n")
        return path

    for name, settings, said in (("no", {"certificate": None}, "certificate"), ("foreign", {"certificate": other}, "certificate"),
                                 ("unknown", {"ca": other}, "not signed by an authority")):
        done = home.run("doctor", "--config", config(name, **settings), code=1)
        line = [line for line in done.stdout.decode().splitlines() if line.startswith("BAD") and f"etcd https://127.0.0.1:{member.port}" in line]
        check(len(line) == 1 and said in line[0], f"{name}: {done.stdout.decode()}")
    used, lines = config("used"), Lines()
    check("answers; 3." in home.run("doctor", "--config", used).stdout.decode(), "doctor is content")
    process = home.start("--config", used)
    home.run("rules", "add", home.log("a.log"), "--host", "10.0.0.7", "--config", used)
    append(home.log("a.log"), lines.next(10))
    wait_lines(home, 10)
    kill(home, member)
    for name in ("node.pem", "node.key"):
        os.unlink(os.path.join(good, name))
    subprocess.run("openssl req -newkey rsa:2048 -nodes -subj /CN=renewed -keyout node.key -out request.pem && openssl x509 -req -days 2 -in request.pem "
                   "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out node.pem", shell=True, cwd=good, capture_output=True, check=True)
    start_again(home, member)
    member.put("collect_log_10.0.0.7_conf", [item(home.log("b.log"))])
    append(home.log("b.log"), lines.next(10))
    wait_lines(home, 20)
    home.stop(process)
    check_lines(home, lines.made)


class IniAgent(Agent):
    """An agent started with a config.ini as the system before had them."""

    def __init__(self, home, text):
        self.home, self.url, self.text = home, None, text
        super().__init__(self, "web-1", token="none")

    def rules(self, folder):
        self.config = os.path.join(self.root, "config.ini")
        with open(self.config, "w") as f:
            f.write(self.text.replace("/var/log/app.log", self.log("app.log")))

    def command(self, *words):
        return [self.home.binary, "agent", "--data", self.data, "--config", self.config, *words]


AGENT_INI = """; agent: config.ini
[kafka]
address   = 10.0.0.1:9092,10.0.0.2:9092
topic     = web_log
chan_size = 100000
[etcd]
address     = 10.0.0.1:2379,10.0.0.2:2379
collect_key = collect_log_%s_conf
[collect]
logfile_path = /var/log/app.log
"""
TRANSFER_INI = """; transfer: logtransfer.ini
[kafka]
address = 10.0.0.1:9092
topic   = web_log
"""


def test_ini_files_start_as_they_are(home):
    """The INI files of the contract start agent and transfer: rules from etcd, raw lines in Kafka, existing files from their end, a topic from its newest message."""
    member, broker = etcd_of(home), broker_of(home)
    lines = Lines()
    agent = IniAgent(home, AGENT_INI.replace("10.0.0.1:9092,10.0.0.2:9092", f"127.0.0.1:{free_port()},{broker.address}").replace(
        "10.0.0.1:2379,10.0.0.2:2379", f"127.0.0.1:{free_port()},127.0.0.1:{member.port}"))
    append(agent.log("app.log"), b"written before the agent was there\n")
    append(agent.log("web.log"), b"and this, too\n")
    ini = os.path.join(home.root, "logtransfer.ini")
    with open(ini, "w") as f:
        f.write(TRANSFER_INI.replace("10.0.0.1:9092", broker.address))
    member.put(f"collect_log_{own_ip()}_conf", [item(agent.log("web*.log"))])
    for host, command in page_commands("migrate.md", ["web-1", "store"]):
        words = shlex.split(command.replace("config.ini", agent.config).replace("logtransfer.ini", ini))[1:]
        if words[0] == "agent":
            agent.start()
        elif words[0] == "transfer":
            transfer = home.start("--config", ini, command="transfer", listen=f"127.0.0.1:{free_port()}")
        else:
            home.run(*words, code=None if words[0] == "doctor" else 0)  # one endpoint is down, it says
    home.wait_until(lambda: "read from their end" in agent.said(), "what goes without saying is said")
    home.wait_until(lambda: "begin at their newest message" in home.up_log(), "and by the transfer")

    def both():  # the rule of one comes from the file, that of the other from etcd
        for name in ("app.log", "web.log"):
            append(agent.log(name), lines.next(5))
        return home.count("file:app.log") > 0 and home.count("file:web.log") > 0

    home.wait_until(both, "lines of both files come")
    append(agent.log("web-new.log"), lines.next(20))
    before = [home.run("search", "--all", word, code=None).stdout for word in ("there", "too")]
    check(before == [b"", b""], f"of what was there before: {before}")
    append(agent.log("app.log"), lines.next(1))
    home.wait_until(lambda: home.count(f'"line {len(lines.made) - 1} of"') == 1, "the newest line is there")
    home.wait_until(lambda: home.count('"line %d of"' % (len(lines.made) - 2)) == 1, "a file that came later is read from its beginning")
    key = f"collect_log_{own_ip()}_conf"
    row = lambda: {row["name"]: row for row in home.json("fleet", "--config", agent.config)}.get("web-1", {})
    home.wait_until(lambda: row().get("online") and row()["rules_applied"] == row()["rules_desired"], "the fleet shows it")
    before = member.revision()
    member.put(key, "[")
    home.wait_until(lambda: "not JSON" in row()["rules_problem"], "and what it cannot use")
    check(member.revision() <= before + 2, "an agent that has nothing new to say writes nothing")
    check("web-1" in home.run("fleet", "web-1", "--config", agent.config).stdout.decode(), "one host of the fleet")
    home.run("rules", "remove", f"web_log:{agent.log('web*.log')}", "--hosts", "web-*", "--dry-run", "--config", agent.config, code=1)
    done = home.run("rules", "list", "--host", "web-9", "--config", agent.config, code=3)
    check(b"no host web-9" in done.stderr, f"an unknown name: {done.stderr!r}")
    agent.stop()
    home.stop(transfer)


def test_ini_files_are_checked(home):
    """Every line of an INI file is checked, with place and hint; unknown keys are warnings; the contract's files are fine."""
    def checked(text, code):
        path = os.path.join(home.root, "config.ini")
        with open(path, "w") as f:
            f.write(text)
        return home.run("check", path, code=code).stdout.decode()

    check("fine, 1 rule" in checked(AGENT_INI, 0), "the agent's file is fine")
    check("fine, 0 rules" in checked(TRANSFER_INI, 0), "the transfer's file is fine")
    said = checked(AGENT_INI.replace("chan_size", "chansize"), 0)
    check("config.ini:5:1: warning: unknown key 'chansize'" in said and "did you mean 'chan_size'?" in said, f"a warning: {said}")
    said = checked(AGENT_INI.replace("100000", "many").replace("/var/log/app.log", "D:/logs/app.log"), 1)
    check("config.ini:5:1:" in said and "config.ini:10:1: 'D:/logs/app.log' is a Windows path" in said, f"two errors: {said}")
    check("config.ini:3:1: this line is neither" in checked("[kafka]\ntopic = t\nnothing\n", 1), "a line that is nothing")
    shown = home.run("config", "show", "--config", os.path.join(home.root, "config.ini"), code=None)
    check(shown.returncode == 2, "and such a file is refused at the start")
