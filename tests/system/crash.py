#!/usr/bin/env python3
"""The crash harness: writers at full speed, rotations of every kind, kill -9 at random times; then every line written must be
there once, unaltered and in order, the audit clean and the export byte-equal. Shares no code with the product: the writers keep
their own ledger outside the fault zone.

usage: crash.py --binary PATH [--rounds N] [--seed N] [--mode rename|rename-pattern|copytruncate|gzip|none|http|kafka|kafka-opensearch|all] [--results DIR]

The rounds are shared out over the modes. With --results the counts are written as crash.json for docs/reliability.md.
"""
import argparse
import gzip
import json
import os
import random
import re
import sys
import threading
import time
import traceback
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases_elastic import node_of, store_in
from cases_kafka import TopicAgent, Transfer, broker_of
from fleet import Agent, Server
from product import Failure, Home, NotRun, check

LINE = re.compile(rb"^w(\d+) s(\d+) c([0-9a-f]{8}) (.*)$")


ALPHABET = bytes(b"abcdefghij 0123456789=/.-k "[i % 26] for i in range(256))


def make_line(writer, sequence, rng):
    body = rng.randbytes(rng.randint(0, 120)).translate(ALPHABET)
    return b"w%d s%d c%08x %s\n" % (writer, sequence, zlib.crc32(b"%d %d %s" % (writer, sequence, body)), body)


class Writer(threading.Thread):
    """One application with one log file. What it wrote is what its ledger says: `count` lines, in order."""

    def __init__(self, home, number, mode, seed, rate):
        super().__init__(daemon=True)
        self.home, self.number, self.mode, self.rate = home, number, mode, rate
        self.rng = random.Random(seed * 1000 + number)
        self.path = home.log(f"writer-{number}.log")
        self.count = 0
        self.generations = []
        self.written = []          # bytes of each generation, oldest first
        self.current = b""
        self.ending = threading.Event()
        self.file = open(self.path, "ab", buffering=0)

    def rotate(self):
        name = f"{self.path}.{int(time.time() * 1e6)}" if self.mode != "rename-pattern" else self.home.log(f"{int(time.time() * 1e6)}{self.number}.txt")
        if self.mode == "copytruncate":
            with open(self.path, "rb") as f, open(name, "wb") as out:
                out.write(f.read())
            os.truncate(self.path, 0)
        else:
            os.rename(self.path, name)
            self.file.close()
            self.file = open(self.path, "ab", buffering=0)
            if self.mode == "gzip":
                with open(name, "rb") as f:
                    data = f.read()
                with gzip.open(name + ".gz", "wb", compresslevel=1) as out:  # in place, as gzip does: seen half-written
                    for at in range(0, len(data), 1 << 14):
                        out.write(data[at:at + (1 << 14)])
                os.unlink(name)
                name += ".gz"
        self.generations.append(name)
        self.written.append(self.current)
        self.current = b""

    def run(self):
        next_rotation = time.monotonic() + self.rng.uniform(0.5, 2)
        while not self.ending.is_set():
            lines = b"".join(make_line(self.number, self.count + i, self.rng) for i in range(self.rng.randint(1, 40)))
            cut = self.rng.randrange(len(lines)) if self.rng.random() < 0.2 else len(lines)
            self.file.write(lines[:cut])
            if cut < len(lines):
                self.ending.wait(self.rng.uniform(0, 0.02))
                self.file.write(lines[cut:])
            self.count += lines.count(b"\n")
            self.current += lines
            if self.mode != "none" and time.monotonic() > next_rotation:
                self.rotate()
                next_rotation = time.monotonic() + self.rng.uniform(0.5, 2)
            self.ending.wait(self.rng.uniform(0, 2 / self.rate))
        self.file.close()


class Running:
    def __init__(self, home, process):
        self.home, self.process = home, process

    def stop(self):
        self.home.stop(self.process)


def killer(home, rounds, rng):
    """Starts and kills -9 the program `rounds` times; leaves it running at the end."""
    for n in range(rounds):
        process = home.start(home.logs, wait=rng.random() < 0.5)
        time.sleep(rng.uniform(0.05, 1.2))
        home.kill(process)
        print(f"\rround {n + 1} of {rounds}", end="", flush=True)
    print()
    process = home.start(home.logs)
    return (Running(home, process),)


def fleet_killer(home, rounds, rng):
    """The same over HTTP: the agent, the server or both are killed; both run at the end."""
    server = Server(home)
    server.start()
    agent = Agent(server, "web-1", folder=home.logs)
    agent.start()
    for n in range(rounds):
        time.sleep(rng.uniform(0.05, 1.2))
        victims = rng.choice(["agent", "server", "agent and server"])
        if "agent" in victims:
            agent.kill()
        if "server" in victims:
            server.kill()
            time.sleep(rng.choice([0, rng.uniform(0, 0.5)]))
            server.start(wait=rng.random() < 0.5)
        if "agent" in victims:
            agent.start()
        print(f"\rround {n + 1} of {rounds}", end="", flush=True)
    print()
    return agent, server


class Part:
    """A server of the pipeline that is killed and started as the product's own programs are."""

    def __init__(self, home, server):
        self.home, self.server = home, server

    def kill(self):
        self.home.kill(self.server.process)

    def start(self):
        self.server.start()
        self.home.running.append(self.server.process)


def pipeline_killer(home, rounds, rng, opensearch=False):
    """The same over Kafka: agent, broker, transfer or the store's node is killed, each as often as the others; all run at the end."""
    broker = broker_of(home)
    parts = {"broker": Part(home, broker)}
    if opensearch:
        node = node_of(home)
        store_in(home, node)
        parts["node"] = Part(home, node)
    agent = TopicAgent(home, broker, "web-1", ["writer"], "--transport.encoding", rng.choice(["batch", "json", "line"]))
    with open(agent.config, "w") as f:  # the whole folder: what was rotated before the agent's first start, too
        f.write(f"transport: {{kind: kafka, brokers: ['{broker.address}']}}\ncollect: {{items: [{{path: {home.logs}, topic: writer}}]}}\n")
    transfer = Transfer(home, broker, ["writer"])
    agent.start()
    transfer.start()
    parts.update(agent=agent, transfer=transfer)
    deck = []
    for n in range(rounds):
        time.sleep(rng.uniform(0.2, 1.5))
        deck = deck or rng.sample(sorted(parts), len(parts))
        victims = [deck.pop()] + ([rng.choice(["agent", "transfer"])] if rng.random() < 0.3 else [])
        for name in dict.fromkeys(victims):
            parts[name].kill()
        time.sleep(rng.choice([0, rng.uniform(0, 0.5)]))
        for name in dict.fromkeys(victims):
            parts[name].start(**({"wait": rng.random() < 0.5} if name == "transfer" and "node" not in victims else {}))
        print(f"\rround {n + 1} of {rounds}", end="", flush=True)
    print()
    home.wait_until(lambda: home.answers(transfer.process), "the transfer answers")
    return agent, transfer


def verify(home, writers):
    found = {w.number: [] for w in writers}
    altered = 0
    for line in home.run("search", "--all", "w* s*", "--quiet", timeout=900).stdout.splitlines():
        match = LINE.match(line)
        if not match or int(match[3], 16) != zlib.crc32(b"%d %d %s" % (int(match[1]), int(match[2]), match[4])):
            altered += 1
            continue
        found[int(match[1])].append(int(match[2]))
    missing = repeated = 0
    for w in writers:
        have = set(found[w.number])
        missing += w.count - len(have & set(range(w.count)))
        repeated += len(found[w.number]) - len(have)
    total = sum(w.count for w in writers)
    print(f"lines {total}, missing {missing}, repeated {repeated}, altered {altered}", flush=True)
    check(missing == 0 and repeated == 0 and altered == 0, f"missing {missing}, repeated {repeated}, altered {altered}")
    generations = verify_export(home, writers)
    audit = home.run("audit", code=None, timeout=900)
    check(audit.returncode == 0, f"audit is not clean:\n{audit.stdout.decode(errors='replace')[-3000:]}")
    return {"lines": total, "missing": missing, "repeated": repeated, "altered": altered, "generations": generations}


def verify_export(home, writers):
    """Every generation comes back byte for byte; order of lines follows from it."""
    wanted = {}
    for w in writers:
        for data in w.written + [w.current]:
            if data:
                wanted[data] = w.number
    have = set()
    for source in home.json("sources"):
        epochs = source["epoch"] + 1
        for epoch in range(epochs):
            done = home.run("export", "--source", source["source"], "--epoch", str(epoch), code=None)
            if done.returncode == 0:
                have.add(done.stdout)
    lost = [n for data, n in wanted.items() if data not in have]
    check(not lost, f"{len(lost)} of {len(wanted)} generations did not export byte for byte (writers {sorted(set(lost))})")
    print(f"{len(wanted)} generations export byte for byte", flush=True)
    return len(wanted)


def finish(home, running, writers):
    total = sum(w.count for w in writers)
    try:
        home.wait_until(lambda: home.count("w* s*") >= total, "every line is stored", 600)
        home.wait_until(home.caught_up, "everything written is durable", 180)
    except Failure as failure:
        print(failure)  # what is missing is counted below
    for one in running:
        one.stop()
    return verify(home, writers)


# Modes with more than one program to kill; the others are rotations of one machine's files.
KILLERS = {"http": fleet_killer, "kafka": pipeline_killer, "kafka-opensearch": lambda *args: pipeline_killer(*args, opensearch=True)}
LEAST_ROUNDS = {"kafka": 3, "kafka-opensearch": 4}  # each part once


def run_mode(binary, mode, rounds, seed, keep):
    print(f"mode {mode}, {rounds} rounds, seed {seed}")
    home = Home(binary, f"logboom-crash-{mode}-")
    rng = random.Random(seed)
    writers = [Writer(home, n, mode, seed, rate=20 if mode.startswith("kafka") else 60) for n in range(4)]
    ok = False
    try:
        for w in writers:
            w.start()
        running = KILLERS.get(mode, killer)(home, rounds, rng)
        for w in writers:
            w.ending.set()
        for w in writers:
            w.join()
        counts = finish(home, running, writers)
        ok = True
        return counts
    finally:
        home.close(keep=keep or not ok)
        if not ok:
            print(f"left for looking: {home.root}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", default="all")
    parser.add_argument("--results")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    modes = ["none", "rename", "rename-pattern", "copytruncate", "gzip", *KILLERS] if args.mode == "all" else [args.mode]
    done = []
    for i, mode in enumerate(modes):
        rounds = max(LEAST_ROUNDS.get(mode, 0), args.rounds // len(modes) + (1 if i < args.rounds % len(modes) else 0))
        if rounds == 0:
            continue
        began = time.monotonic()
        result = {"mode": mode, "rounds": rounds, "passed": False, "error": ""}
        try:
            result.update(run_mode(args.binary, mode, rounds, args.seed + i, args.keep), passed=True)
        except NotRun as error:
            print(f"NOT RUN mode {mode}: {error}", flush=True)
            continue
        except Exception as error:  # whatever breaks a mode has failed it; the others still run
            result["error"] = str(error) if isinstance(error, Failure) else traceback.format_exc()
            print(f"FAILED in mode {mode}: {result['error']}", flush=True)
        result["seconds"] = round(time.monotonic() - began, 1)
        done.append(result)
    if args.results:
        os.makedirs(args.results, exist_ok=True)
        with open(os.path.join(args.results, "crash.json"), "w") as f:
            json.dump({"date": time.strftime("%Y-%m-%d"), "rows": ["A1", "S1"], "modes": done}, f, indent=1)
    failed = sum(not r["passed"] for r in done)
    print(f"{len(done) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
