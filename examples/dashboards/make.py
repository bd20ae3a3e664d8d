#!/usr/bin/env python3
"""Writes logboom.ndjson: saved objects of OpenSearch Dashboards and Kibana (7.10 and later) on the documents of docs/formats/document.md.

usage: make.py > logboom.ndjson
"""
import json
import sys

PATTERN = "logboom-pattern"
ERRORS = "log.level: (error or fatal)"


def reference(name, kind, target):
    return {"name": name, "type": kind, "id": target}


def saved(kind, identity, attributes, references=()):
    return {"id": identity, "type": kind, "attributes": attributes, "references": list(references)}


def source(query):
    """What is asked of the index pattern."""
    text = {"query": {"query": query, "language": "kuery"}, "filter": [], "indexRefName": "kibanaSavedObjectMeta.searchSourceJSON.index"}
    return {"searchSourceJSON": json.dumps(text)}


def index_reference():
    return reference("kibanaSavedObjectMeta.searchSourceJSON.index", "index-pattern", PATTERN)


def count():
    return {"id": "1", "enabled": True, "type": "count", "schema": "metric", "params": {}}


def terms(number, schema, field, size):
    params = {"field": field, "orderBy": "1", "order": "desc", "size": size, "otherBucket": False, "missingBucket": False}
    return {"id": str(number), "enabled": True, "type": "terms", "schema": schema, "params": params}


def per_minute():
    params = {"field": "@timestamp", "useNormalizedOpenSearchInterval": True, "interval": "m", "drop_partials": False, "min_doc_count": 1, "extended_bounds": {}}
    return {"id": "2", "enabled": True, "type": "date_histogram", "schema": "segment", "params": params}


def visualization(identity, title, kind, query, aggs, **params):
    state = {"title": title, "type": kind, "params": {"type": kind, "addTooltip": True, "addLegend": True, "legendPosition": "right", **params}, "aggs": aggs}
    return saved("visualization", identity, {"title": title, "visState": json.dumps(state), "uiStateJSON": "{}", "description": "", "version": 1,
                                             "kibanaSavedObjectMeta": source(query)}, [index_reference()])


def axes():
    """What bar charts want to be told."""
    return {"grid": {"categoryLines": False}, "addTimeMarker": False,
            "categoryAxes": [{"id": "CategoryAxis-1", "type": "category", "position": "bottom", "show": True, "scale": {"type": "linear"},
                              "labels": {"show": True, "truncate": 100}, "title": {}}],
            "valueAxes": [{"id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value", "position": "left", "show": True,
                           "scale": {"type": "linear", "mode": "normal"}, "labels": {"show": True}, "title": {"text": "records"}}],
            "seriesParams": [{"show": True, "type": "histogram", "mode": "stacked", "data": {"label": "records", "id": "1"},
                              "valueAxis": "ValueAxis-1"}]}


def search(identity, title, query, columns):
    return saved("search", identity, {"title": title, "description": "", "hits": 0, "columns": columns, "sort": [["@timestamp", "desc"]], "version": 1,
                                      "kibanaSavedObjectMeta": source(query)}, [index_reference()])


def dashboard(identity, title, panels):
    """`panels`: (kind, id, x, y, width, height) on a grid of 48 columns."""
    placed, references = [], []
    for number, (kind, target, x, y, w, h) in enumerate(panels):
        placed.append({"version": "7.10.0", "panelIndex": str(number), "panelRefName": f"panel_{number}", "embeddableConfig": {},
                       "gridData": {"x": x, "y": y, "w": w, "h": h, "i": str(number)}})
        references.append(reference(f"panel_{number}", kind, target))
    everything = json.dumps({"query": {"query": "", "language": "kuery"}, "filter": []})
    return saved("dashboard", identity, {"title": title, "description": "", "hits": 0, "version": 1, "panelsJSON": json.dumps(placed),
                                         "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}), "timeRestore": True, "timeFrom": "now-24h",
                                         "timeTo": "now", "refreshInterval": {"pause": False, "value": 10000},
                                         "kibanaSavedObjectMeta": {"searchSourceJSON": everything}}, references)


def objects():
    columns = ["log.level", "host.name", "log.file.path", "message"]
    yield saved("index-pattern", PATTERN, {"title": "logboom-*", "timeFieldName": "@timestamp"})
    yield search("logboom-records", "Records", "", columns)
    yield search("logboom-errors", "Errors", ERRORS, columns)
    yield visualization("logboom-per-minute", "Records per minute, by level", "histogram", "", [count(), per_minute(), terms(3, "group", "log.level", 8)], **axes())
    yield visualization("logboom-errors-per-minute", "Errors per minute, by topic", "histogram", ERRORS, [count(), per_minute(), terms(3, "group", "topic", 10)], **axes())
    yield visualization("logboom-errors-by-host", "Errors by host", "pie", ERRORS, [count(), terms(2, "segment", "host.name", 20)], isDonut=True)
    yield visualization("logboom-files", "Files with the most errors", "table", ERRORS, [count(), terms(2, "bucket", "log.file.path", 20)], perPage=10)
    yield dashboard("logboom-overview", "logboom", [
        ("visualization", "logboom-per-minute", 0, 0, 24, 14), ("visualization", "logboom-errors-per-minute", 24, 0, 24, 14),
        ("visualization", "logboom-errors-by-host", 0, 14, 16, 14), ("visualization", "logboom-files", 16, 14, 32, 14), ("search", "logboom-errors", 0, 28, 48, 18)])


if __name__ == "__main__":
    for each in objects():
        sys.stdout.write(json.dumps(each) + "\n")
