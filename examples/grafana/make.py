#!/usr/bin/env python3
"""Writes fleet.json and host.json, the Grafana dashboards over the host metrics of logboom in InfluxDB. Change the panels here, then run it."""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = {"type": "influxdb", "uid": "${source}"}


def target(ref, measurement, fields, where="", by=(), pick="mean", alias=""):
    """One line per field and tag of `by`, in buckets as wide as the panel's points."""
    columns = ", ".join(f'{pick}("{field}") AS "{name}"' for field, name in fields)
    groups = "".join(f', "{tag}"' for tag in by)
    condition = f"{where} AND " if where else ""
    return {"refId": ref, "datasource": SOURCE, "rawQuery": True, "resultFormat": "time_series", "alias": alias,
            "query": f'SELECT {columns} FROM "{measurement}" WHERE {condition}$timeFilter GROUP BY time($__interval){groups} fill(null)'}


def summed(ref, measurement, fields, where="", by=("host",), alias=""):
    """As target(), summed over the other tags (devices, interfaces) of each sample first."""
    inner = ", ".join(f'sum("{field}") AS "{name}"' for field, name in fields)
    outer = ", ".join(f'mean("{name}") AS "{name}"' for _, name in fields)
    groups = "".join(f', "{tag}"' for tag in by)
    condition = f"{where} AND " if where else ""
    return {"refId": ref, "datasource": SOURCE, "rawQuery": True, "resultFormat": "time_series", "alias": alias,
            "query": f'SELECT {outer} FROM (SELECT {inner} FROM "{measurement}" WHERE {condition}$timeFilter GROUP BY time($sample){groups} fill(none)) '
                     f'WHERE $timeFilter GROUP BY time($__interval){groups} fill(null)'}


def panel(title, targets, unit, x, y, width=12, height=8, top=None):
    defaults = {"unit": unit, "min": 0, "custom": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": 60000}}
    if top is not None:
        defaults["max"] = top
    options = {"legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return {"type": "timeseries", "title": title, "datasource": SOURCE, "targets": targets, "gridPos": {"x": x, "y": y, "w": width, "h": height},
            "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options}


def variable(name, label, query):
    return {"type": "query", "name": name, "label": label, "datasource": SOURCE, "query": query, "refresh": 2, "sort": 1, "multi": False, "includeAll": False}


def dashboard(uid, title, panels, variables):
    source = {"type": "datasource", "name": "source", "label": "InfluxDB", "query": "influxdb"}
    sample = {"type": "constant", "name": "sample", "label": "Interval of the samples", "query": "10s", "hide": 2}
    return {"uid": uid, "title": title, "tags": ["logboom"], "timezone": "browser", "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1, "refresh": "10s",
            "time": {"from": "now-1h", "to": "now"}, "annotations": {"list": []}, "templating": {"list": [source, sample, *variables]},
            "panels": [{"id": number, **each} for number, each in enumerate(panels, 1)]}


def fleet():
    by_host = {"by": ("host",), "alias": "$tag_host"}
    return dashboard("logboom-fleet", "logboom: fleet", [
        panel("CPU", [target("A", "cpu", [("used", "used")], "\"cpu\" = 'total'", **by_host)], "percent", 0, 0, top=100),
        panel("Memory", [target("A", "memory", [("used_percent", "used")], **by_host)], "percent", 12, 0, top=100),
        panel("Load", [target("A", "load", [("load1", "load")], **by_host)], "short", 0, 8),
        panel("Fullest disk", [target("A", "disk", [("used_percent", "used")], **by_host, pick="max")], "percent", 12, 8, top=100),
        panel("Disks: read and written", [summed("A", "diskio", [("read_rate", "read"), ("write_rate", "written")], alias="$tag_host $col")], "Bps", 0, 16),
        panel("Network: in and out", [summed("A", "net", [("received_rate", "in"), ("sent_rate", "out")], "\"interface\" != 'lo'", alias="$tag_host $col")], "Bps", 12, 16),
        panel("Processes", [target("A", "processes", [("total", "processes")], **by_host)], "short", 0, 24),
        panel("Waiting for the processor", [target("A", "pressure", [("some_avg10", "some")], "\"resource\" = 'cpu'", **by_host)], "percent", 12, 24),
    ], [])


def host():
    here = "\"host\" = '$host'"
    return dashboard("logboom-host", "logboom: one host", [
        panel("CPU", [target("A", "cpu", [(f, f) for f in ("user", "system", "iowait", "steal")], f"{here} AND \"cpu\" = 'total'", alias="$col")], "percent", 0, 0, top=100),
        panel("Each core", [target("A", "cpu", [("used", "used")], f"{here} AND \"cpu\" != 'total'", by=("cpu",), alias="core $tag_cpu")], "percent", 12, 0, top=100),
        panel("Memory", [target("A", "memory", [(f, f) for f in ("used", "cached", "buffers", "swap_used")], here, alias="$col")], "bytes", 0, 8),
        panel("Load", [target("A", "load", [(f, f) for f in ("load1", "load5", "load15")], here, alias="$col")], "short", 12, 8),
        panel("Disks: read and written", [target("A", "diskio", [("read_rate", "read"), ("write_rate", "written")], here, by=("device",), alias="$tag_device $col")], "Bps", 0, 16),
        panel("Disks: busy", [target("A", "diskio", [("busy", "busy")], here, by=("device",), alias="$tag_device")], "percent", 12, 16, top=100),
        panel("Network: in and out", [target("A", "net", [("received_rate", "in"), ("sent_rate", "out")], here, by=("interface",), alias="$tag_interface $col")], "Bps", 0, 24),
        panel("Disk space", [target("A", "disk", [("used_percent", "used")], here, by=("mount",), alias="$tag_mount")], "percent", 12, 24, top=100),
        panel("Pressure", [target("A", "pressure", [("some_avg10", "some")], here, by=("resource",), alias="$tag_resource")], "percent", 0, 32),
        panel("Open files", [target("A", "files", [("open", "open")], here, alias="open")], "short", 12, 32),
    ], [variable("host", "Host", 'SHOW TAG VALUES FROM "cpu" WITH KEY = "host"')])


for name, made in (("fleet", fleet()), ("host", host())):
    with open(os.path.join(HERE, f"{name}.json"), "w", encoding="utf-8") as f:
        f.write(json.dumps(made, indent=1) + "\n")
