"""Host metrics in a real InfluxDB: asked by the command and the API, and by the panels of the Grafana dashboards."""
import csv
import io
import json
import math
import os
import re
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import influxdb
from product import check, need_server

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATABASE = "logboom"


def influx_of(home):
    need_server(influxdb)
    server = influxdb.Influx(os.path.join(home.root, "influx"))
    home.running.append(server.start())
    return server


def samples(seconds):
    """Line protocol of two hosts, a sample each every ten seconds; the names are those of docs/formats/metrics.md."""
    now = int(time.time()) // 10 * 10
    lines = []
    for at in range(now - seconds, now, 10):
        for n, host in enumerate(("web-01", "web-02")):
            wave = 50 + 40 * math.sin(at / 300) + n
            tags = f"host={host},ip=10.0.0.{n + 1}"
            for cpu in ("total", "0", "1"):
                lines.append(f"cpu,{tags},cpu={cpu} used={wave},user={wave / 2},system={wave / 4},iowait=1.5,steal=0.0 {at}")
            lines.append(f"memory,{tags} used={int(wave * 1e8)}i,used_percent={wave},cached=100i,buffers=50i,swap_used=0i {at}")
            lines.append(f"load,{tags} load1={wave / 10},load5=2.0,load15=1.0 {at}")
            for device in ("vda", "vdb"):
                lines.append(f"diskio,{tags},device={device} read_rate={wave},write_rate={2 * wave},busy=12.5 {at}")
            for interface in ("lo", "eth0"):
                lines.append(f"net,{tags},interface={interface} received_rate={wave},sent_rate=7.0 {at}")
            lines.append(f"disk,{tags},device=/dev/vda1,mount=/,type=ext4 used_percent=61.5 {at}")
            lines.append(f"processes,{tags} total=120i {at}")
            for resource in ("cpu", "memory", "io"):
                lines.append(f"pressure,{tags},resource={resource} some_avg10=0.5 {at}")
            lines.append(f"files,{tags} open=1200i {at}")
    return lines


def fill(server, seconds=1800):
    server.query(f'CREATE DATABASE "{DATABASE}"')
    request = urllib.request.Request(f"{server.url}/write?db={DATABASE}&precision=s", "\n".join(samples(seconds)).encode())
    with influxdb.opener().open(request, timeout=60) as answer:
        check(answer.status == 204, "InfluxDB did not take the samples")


def test_metrics_are_asked_of_influxdb(home):
    """Hosts, lines and values come from InfluxDB as it gives them itself."""
    server = influx_of(home)
    fill(server)
    config = os.path.join(home.root, "logboom.yaml")
    with open(config, "w") as f:
        # Its own samples are off, or this host is among the others once the clock shows a whole ten seconds.
        f.write(f"metrics: off\nmetrics_store: {{kind: influxdb, url: '{server.url}', database: {DATABASE}}}\n")
    process = home.start(home.logs, "--config", config)
    hosts = json.loads(home.run("metrics", "-o", "json").stdout)["hosts"]
    check([host["host"] for host in hosts] == ["web-01", "web-02"], f"the hosts are {hosts}")
    check(hosts[0]["ip"] == "10.0.0.1" and "cpu" in hosts[0]["measurements"], f"of a host is known {hosts[0]}")
    printed = home.run("metrics", "web-01", "cpu.used", "--from", "-20m", "--step", "1m", "-o", "csv").stdout.decode()
    rows = [row for row in csv.DictReader(io.StringIO(printed)) if row["tags"] == "cpu=total"]
    [own] = server.query("SELECT mean(\"used\") FROM \"cpu\" WHERE \"host\" = 'web-01' AND \"cpu\" = 'total' AND time > now() - 15m GROUP BY time(1m) fill(none)", DATABASE)
    theirs = {time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at / 1e9)): value for at, value in own["values"][1:-1]}
    ours = {row["time"][:19]: float(row["value"]) for row in rows}
    check(len(theirs) > 10, f"InfluxDB has {theirs}")
    for at, value in theirs.items():
        check(abs(ours.get(at, -1) - value) < 1e-9, f"at {at} the command says {ours.get(at)}, InfluxDB {value}")
    drawn = home.run("metrics", "web-*").stdout.decode()
    check("web-02 net.sent_rate" in drawn and "⣀" in drawn, f"drawn was {drawn[:2000]}")
    check(re.search(r"web-01 net.sent_rate +last 7 ", drawn), "the whole of the network is not that of eth0 alone, without the loopback")
    check("interface=lo" in home.run("metrics", "web-01", "net.sent_rate").stdout.decode(), "the loopback is not drawn though it was asked for")
    home.stop(process)


def test_every_panel_of_grafana_shows_something(home):
    """Each query of each panel of examples/grafana on a real InfluxDB: none fails, none is empty."""
    server = influx_of(home)
    fill(server)
    asked = 0
    for name in ("fleet", "host"):
        with open(os.path.join(ROOT, "examples", "grafana", f"{name}.json"), encoding="utf-8") as f:
            dashboard = json.load(f)
        constants = {v["name"]: v["query"] for v in dashboard["templating"]["list"] if v["type"] == "constant"}
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                [values] = server.query(variable["query"], DATABASE)
                constants[variable["name"]] = values["values"][0][1]
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                query = target["query"].replace("$timeFilter", "time > now() - 30m").replace("$__interval", "1m")
                for variable, value in constants.items():
                    query = query.replace("$" + variable, value)
                check(not re.search(r"\$\w", query), f"a variable is not known: {query}")
                series = server.query(query, DATABASE)
                numbers = [value for one in series for row in one["values"] for value in row[1:] if value is not None]
                check(len(numbers) >= 20, f"{name}: the panel {panel['title']} is empty: {query}")
                columns = [column for one in series for column in one["columns"][1:]]
                for column in set(columns):
                    index = [one["columns"].index(column) for one in series]
                    check(any(row[i] is not None for one, i in zip(series, index) for row in one["values"]), f"{name}: {panel['title']}: nothing of {column}")
                asked += 1
    check(asked >= 18, f"only {asked} queries were found")
    return f"{asked} queries"
