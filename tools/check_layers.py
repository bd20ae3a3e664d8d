#!/usr/bin/env python3
"""Holds the house's direction: an include goes down the layers only, siblings of a layer are closed to each other, and only
app/registry names an implementation outside its folder. Exits 1 and names each offence."""
import os
import re
import subprocess
import sys

LAYERS = [["base"], ["telemetry"], ["io"], ["record", "queue", "http"], ["config", "parse", "delivery"],
          ["source", "transport", "logstore", "metricstore"], ["agent", "transfer", "server"], ["app"]]
LAYER = {name: level for level, names in enumerate(LAYERS) for name in names}
INTERFACES = {"source", "transport", "logstore", "metricstore", "config"}
# Shared by every implementation of the log store, and by who offers queries to people.
OPEN = {("logstore", "query")}
# Where implementations meet: the composition root.
ROOTS = ("src/app/registry.h", "src/app/registry/")
# Third-party headers that are met in one place only.
ONLY_IN = {"sqlite3.h": "src/io/sqlite/", "boost/": "src/http/", "simdjson.h": "src/parse/", "yaml-cpp/": "src/config/", "CLI/": "src/app/",
           "spdlog/": "src/base/", "curl/": "src/http/",
           "librdkafka/": "src/transport/"}


def is_test(path):
    return "_test." in path or "/testing/" in path or "_bench." in path


def offences(path, text):
    parts = path.split("/")
    folder = parts[1]
    if folder not in LAYER:
        yield f"{path}: the folder '{folder}' has no layer"
        return
    for line, target in re.findall(r'^(#include "([^"]+)")', text, re.M):
        to = target.split("/")
        if len(to) < 2 or to[0] not in LAYER:
            yield f"{path}: {line}: not a path from src/"
            continue
        if is_test(path):
            continue
        if to[0] != folder and LAYER[to[0]] >= LAYER[folder]:
            yield f"{path}: {line}: {folder} (layer {LAYER[folder]}) must not see {to[0]} (layer {LAYER[to[0]]})"
        inner = len(to) > 2 and to[0] in INTERFACES and (to[0], to[1]) not in OPEN
        if inner and to[0] != folder and not path.startswith(ROOTS):
            yield f"{path}: {line}: names an implementation; only src/app/registry does"
        if inner and to[0] == folder and len(parts) > 3 and to[1] != parts[2]:
            yield f"{path}: {line}: implementations do not see each other"
        if inner and to[0] == folder and len(parts) == 3:
            yield f"{path}: {line}: the interface must not see its implementation"
    for header in re.findall(r"^#include <([^>]+)>", text, re.M):
        for prefix, place in ONLY_IN.items():
            if header.startswith(prefix) and not path.startswith(place):
                yield f"{path}: <{header}> belongs into {place} only"


def main():
    os.chdir(os.path.join(os.path.dirname(__file__), ".."))
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src"], capture_output=True, text=True, check=True)
    files = [f for f in listed.stdout.splitlines() if f.endswith((".h", ".cc")) and os.path.exists(f)]
    found = []
    for path in files:
        with open(path, encoding="utf-8", errors="replace") as f:
            found += offences(path, f.read())
    for row in found:
        print(row)
    print(f"layers: {len(files)} files, {len(found)} offences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
