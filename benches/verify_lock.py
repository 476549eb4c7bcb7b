#!/usr/bin/env python3
"""Whether a lock is an answer, checked without any of pyresolve's own code.

    verify_lock.py [--python 3.13.12] [--uv-cache DIR] LOCK REQUIREMENTS...

Reads pylock.toml and, of each pin, the metadata: from uv's cache where one is named, or else the `.metadata`
file beside its wheel. Then it follows the requirements from the given files on with the `packaging` library
(pip install packaging) for CPython on Linux, x86_64, and tells of

- a requirement, with its extras and markers, that no pin meets; a Requires-Python that does not hold, but for
  its upper bounds, which resolvers leave to the user, and which are told as well;
- a pin of which no file fits the target; a pin that nothing needs; two pins of one project;
- a project whose metadata is to be found nowhere (its own requirements then stay unchecked).

Ends with 1 where the lock is wrong, with 3 where a project stayed unchecked.
"""
import argparse
import re
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", default="3.13.12")
    parser.add_argument("--uv-cache", type=Path)
    parser.add_argument("lock", type=Path)
    parser.add_argument("requirements", type=Path, nargs="+")
    return parser.parse_args()


def environment(python):
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
    }


def accepted_tags(python):
    version = tuple(int(part) for part in python.split(".")[:2])
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in range(5, 43)]
    platforms += [f"manylinux{year}_x86_64" for year in ("1", "2010", "2014")] + ["linux_x86_64"]
    tags = set(cpython_tags(version, platforms=platforms))
    return tags | set(compatible_tags(version, interpreter=f"cp{version[0]}{version[1]}", platforms=platforms))


def from_uv(cache, name, version):
    """What uv keeps of a release: name, version, requirements, Requires-Python, in MessagePack."""
    from pip._vendor import msgpack

    wheels = cache.glob(f"wheels-v*/*/{name}/{version}-*.msgpack")
    sdists = cache.glob(f"sdists-v*/*/{name}/{version}/*/metadata.msgpack")
    for path in [*wheels, *sdists]:
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        unpacker.feed(path.read_bytes())
        kept = next(iter(unpacker))
        if isinstance(kept, list) and len(kept) > 3 and canonicalize_name(kept[0]) == name and kept[1] == version:
            return kept[2], kept[3]
    return None


def from_index(pin):
    for wheel in pin.get("wheels", []):
        try:
            with urllib.request.urlopen(wheel["url"] + ".metadata", timeout=60) as answer:
                raw, _ = parse_email(answer.read())
        except (urllib.error.URLError, OSError):
            continue
        return raw.get("requires_dist", []), raw.get("requires_python")
    return None


def holds(wanted, python, notes):
    """Whether a Requires-Python admits an interpreter, upper bounds aside."""
    if SpecifierSet(wanted).contains(python, prereleases=True):
        return True
    lower = ",".join(part for part in wanted.split(",") if not part.strip().startswith("<"))
    notes.append(f"Python {wanted}")
    return SpecifierSet(lower).contains(python, prereleases=True)


def roots(paths):
    for path in paths:
        for line in path.read_text().splitlines():
            line = re.sub(r"(^|\s)#.*", "", line).strip()
            if line:
                yield Requirement(line)


def check(options):
    env, tags = environment(options.python), accepted_tags(options.python)
    pins, wrong, unknown, notes = {}, [], [], []
    for pin in tomllib.loads(options.lock.read_text())["packages"]:
        name = canonicalize_name(pin["name"])
        if name in pins:
            wrong.append(f"{name} is pinned twice")
        pins[name] = pin
        files = [wheel.get("name") or wheel["url"].rsplit("/", 1)[-1] for wheel in pin.get("wheels", [])]
        fits = any(tags & parse_wheel_filename(file)[3] for file in files)
        if not fits and not {"sdist", "vcs", "directory", "archive"} & pin.keys():
            wrong.append(f"{name} {pin.get('version')}: no file fits")

    metadata, seen, count = {}, {}, 0
    todo = [("the project", requirement, "") for requirement in roots(options.requirements)]
    while todo:
        who, requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({**env, "extra": extra}):
            continue
        count += 1
        name = canonicalize_name(requirement.name)
        pin = pins.get(name)
        if pin is None:
            wrong.append(f"{who} needs {requirement}: not in the lock")
            continue
        version = pin.get("version")
        if version and not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{who} needs {requirement}: the lock has {version}")
        fresh = ({""} | set(requirement.extras)) - seen.setdefault(name, set())
        seen[name] |= fresh
        if name not in metadata:
            found = options.uv_cache and from_uv(options.uv_cache, name, version)
            metadata[name] = found or from_index(pin)
            if metadata[name] is None:
                unknown.append(f"{name} {version}: no metadata to be found")
            elif metadata[name][1] and not holds(metadata[name][1], options.python, bounds := []):
                wrong.append(f"{name} {version} needs Python {metadata[name][1]}")
            elif metadata[name][1] and bounds:
                notes.append(f"{name} {version} says that it is for {bounds[0]}")
        for text in metadata[name][0] if metadata[name] else ():
            todo.extend((f"{name} {version}", Requirement(text), extra) for extra in fresh)
    if not unknown:
        wrong.extend(f"{name}: nothing needs it" for name in sorted(pins.keys() - seen.keys()))
    return pins, count, wrong, unknown, notes


def main():
    chosen = options()
    pins, count, wrong, unknown, notes = check(chosen)
    for line in wrong + unknown + notes:
        print(line)
    print(f"{chosen.lock}: {len(pins)} pins, {count} requirements hold" if not wrong else f"{chosen.lock}: WRONG")
    return 1 if wrong else 3 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
