#!/usr/bin/env python3
"""Writes src/logstore/query/casefold_table.inc from Unicode's CaseFolding.txt (Debian package unicode-data).

Only the rows C (common) and S (simple) are used: one code point to one code point. Neighbouring rows with the same distance
are one range; a step of 2 covers alphabets whose capital and small letters alternate.

usage: tools/gen_casefold.py [/usr/share/unicode/CaseFolding.txt] > src/logstore/query/casefold_table.inc
"""

import sys


def read_rows(path):
    rows, version = [], ""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("# CaseFolding-"):
                version = line[2:].strip()
            fields = [part.strip() for part in line.split("#")[0].split(";")]
            if len(fields) >= 3 and fields[1] in "CS":
                rows.append((int(fields[0], 16), int(fields[2], 16)))
    return version, sorted(rows)


def to_ranges(rows):
    ranges = []  # [first, last, step, delta]
    for code, folded in rows:
        delta = folded - code
        if ranges:
            last = ranges[-1]
            gap = code - last[1]
            if last[3] == delta and gap in (1, 2) and (last[2] == gap or last[0] == last[1]):
                last[1], last[2] = code, gap
                continue
        ranges.append([code, code, 1, delta])
    return ranges


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode/CaseFolding.txt"
    version, rows = read_rows(path)
    ranges = to_ranges(rows)
    print(f"// Written by tools/gen_casefold.py from {version}, rows C and S. Do not edit.")
    print("// Data: (c) Unicode, Inc., Unicode License v3; see THIRD_PARTY.md.")
    print("// {first, last, step, distance to the folded code point}")
    for first, last, step, delta in ranges:
        print(f"{{0x{first:04X}, 0x{last:04X}, {step}, {delta}}},")


if __name__ == "__main__":
    main()
