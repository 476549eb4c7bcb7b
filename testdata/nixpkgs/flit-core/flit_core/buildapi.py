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
    project = read_project()
    stem = f"{re.sub(r'[-_.]+', '_', project['name'])}-{project['version']}"
    files = {}
    for path in modules():
        with open(path, "rb") as file:
            files[path] = file.read()
    info = f"{stem}.dist-info"
    files[f"{info}/METADATA"] = metadata(project).encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: flit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    scripts = project.get("scripts", {})
    if scripts:
        lines = ["[console_scripts]"] + [f"{k} = {v}" for k, v in scripts.items()]
        files[f"{info}/entry_points.txt"] = ("\n".join(lines) + "\n").encode()
    files[f"{info}/RECORD"] = record(files, info)
    name = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, content in files.items():
            wheel.writestr(zipfile.ZipInfo(path), content)
    return name


def record(files, info):
    lines = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}")
    return ("\n".join([*lines, f"{info}/RECORD,,"]) + "\n").encode()
