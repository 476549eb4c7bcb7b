#!/usr/bin/env python3
"""Makes the compact tables beside this file from tab-separated tables of nixpkgs facts.

usage: compact.py FOLDER CHANNEL DATE

FOLDER holds python-packages.tsv, licenses.tsv, pkg-config.tsv and libraries.tsv, each with a header line.
README.md says what the results look like.
"""
import pathlib
import sys


def rows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    header = lines[0].split("\t")
    return [dict(zip(header, line.split("\t"))) for line in lines[1:]]


def write(name, head, lines):
    target = pathlib.Path(__file__).parent / name
    target.write_text(head + "".join(line + "\n" for line in lines), encoding="utf-8")


def python_packages(source, head):
    columns = [c for c in rows(source)[0] if c.startswith("python3")]
    out = ["\t".join(["#", *columns])]
    for row in sorted(rows(source), key=lambda r: (r["project"], r["primary"] != "1", r["attr"])):
        project = "" if row["project"] == row["attr"] else row["project"]
        mark = "" if row["primary"] == "1" else "-"
        versions, last = [], None
        for column in columns:
            versions.append("=" if row[column] and row[column] == last else row[column])
            last = row[column]
        out.append("\t".join([mark + row["attr"], project, *versions]))
    write("python-packages.tsv", head, out)


def owners(source, name, key, head):
    """One line per attribute: the attribute, then everything it owns."""
    owned = {}
    for row in rows(source):
        owned.setdefault(row["attr"], []).append(row[key])
    write(name, head, ["\t".join([attr, *sorted(things)]) for attr, things in sorted(owned.items())])


def main():
    folder, channel, date = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    head = f"# {channel} {date}\n"
    python_packages(folder / "python-packages.tsv", head)
    owners(folder / "pkg-config.tsv", "pkg-config.tsv", "module", head)
    owners(folder / "libraries.tsv", "libraries.tsv", "library", head)
    write("licenses.tsv", head, ["\t".join([r["spdx"], r["attr"]]) for r in rows(folder / "licenses.tsv")])


main()
