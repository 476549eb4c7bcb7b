"""A PEP 517 backend with the name of a well-known one, written for these tests.

It reads the static parts of `[project]` (PEP 621) and puts every module of the source's root into
the wheel. It is enough for sources without extension modules, needs nothing but Python, and is
built by itself.
"""

import base64
import hashlib
import os
import re
import zipfile


def read_project():
    import tomllib

    with open("pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]


def metadata(project):
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines += [f"Requires-Dist: {r}" for r in project.get("dependencies", [])]
    for extra, requirements in project.get("optional-dependencies", {}).items():
        lines.append(f"Provides-Extra: {extra}")
        for requirement in requirements:
            text, _, marker = requirement.partition(";")
            both = f"({marker.strip()}) and " if marker else ""
            lines.append(f"Requires-Dist: {text.strip()}; {both}extra == '{extra}'")
    return "\n".join(lines) + "\n"


def modules():
    """The Python files of the root and of its folders that are packages."""
    for folder, folders, files in os.walk("."):
        if folder == ".":
            folders[:] = [f for f in folders if os.path.exists(f"{f}/__init__.py") and f != "tests"]
        for name in sorted(files):
            if folder != "." or (name.endswith(".py") and name != "setup.py"):
                yield os.path.relpath(os.path.join(folder, name))


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {}
    for path in modules():
        with open(path, "rb") as file:
            files[path] = file.read()
    return pack(wheel_directory, read_project(), files)


def pack(wheel_directory, project, files, tag="py3-none-any"):
    """A wheel with these files; its name."""
    stem = f"{re.sub(r'[-_.]+', '_', project['name'])}-{project['version']}"
    info = f"{stem}.dist-info"
    pure = str(tag.endswith("-any")).lower()
    files[f"{info}/METADATA"] = metadata(project).encode()
    wheel = f"Wheel-Version: 1.0\nGenerator: flit\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"
    files[f"{info}/WHEEL"] = wheel.encode()
    groups = {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}
    lines = []
    for group, entries in groups.items():
        if entries:
            lines += [f"[{group}]"] + [f"{k} = {v}" for k, v in entries.items()]
    if lines:
        files[f"{info}/entry_points.txt"] = ("\n".join(lines) + "\n").encode()
    files[f"{info}/RECORD"] = record(files, info)
    name = f"{stem}-{tag}.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, content in files.items():
            wheel.writestr(zipfile.ZipInfo(path), content)
    return name


def native_tag():
    """The tag of a wheel for this interpreter and system."""
    import sys
    import sysconfig

    python = "cp%d%d" % sys.version_info[:2]
    return f"{python}-{python}-" + re.sub(r"[-.]", "_", sysconfig.get_platform())


def tree(root):
    """The files below a folder, by their paths."""
    files = {}
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, root)] = file.read()
    return files


def record(files, info):
    lines = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}")
    return ("\n".join([*lines, f"{info}/RECORD,,"]) + "\n").encode()
