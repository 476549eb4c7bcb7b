"""Asks the build system of an sdist for the metadata of its wheel (PEP 517).

Runs inside the sandbox, in an empty folder, as `python3 -I driver.py ARCHIVE`. The metadata goes to
standard output, everything that a build prints to standard error.
Exit codes: 3 build requirements are missing (named on standard error), 1 anything else.
"""

import os
import re
import sys
import tarfile
import zipfile

LIMITS = {"AS": 4 << 30, "CPU": 100, "FSIZE": 256 << 20, "NOFILE": 1024, "NPROC": 256, "CORE": 0}


def limit():
    import resource

    for name, value in LIMITS.items():
        try:
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
        except (AttributeError, ValueError, OSError):
            pass  # not on this platform, or lower already


def unpack(archive):
    os.mkdir("source")
    if archive.endswith(".zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall("source")
    else:
        with tarfile.open(archive) as opened:
            if hasattr(tarfile, "data_filter"):
                opened.extractall("source", filter="data")
            else:
                opened.extractall("source")
    entries = [os.path.join("source", name) for name in os.listdir("source")]
    folders = [entry for entry in entries if os.path.isdir(entry)]
    return folders[0] if len(entries) == 1 and folders else "source"


def build_system():
    if not os.path.exists("pyproject.toml"):
        return {}
    try:
        import tomllib
    except ImportError:
        from pip._vendor import tomli as tomllib
    with open("pyproject.toml", "rb") as file:
        return tomllib.load(file).get("build-system", {})


def missing(requirements):
    try:
        from packaging.requirements import Requirement
    except ImportError:
        try:
            from setuptools._vendor.packaging.requirements import Requirement
        except ImportError:
            from pip._vendor.packaging.requirements import Requirement
    from importlib import metadata

    absent = []
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            absent.append(text)
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            absent.append("%s (%s is installed)" % (text, found))
    return absent


def demand(requirements):
    absent = missing(requirements)
    if absent:
        sys.stderr.write("\n".join(absent) + "\n")
        sys.stderr.flush()
        os._exit(3)


def from_backend(system):
    import importlib

    name, _, attribute = system.get("build-backend", "setuptools.build_meta:__legacy__").partition(":")
    for folder in reversed(system.get("backend-path", [])):
        sys.path.insert(0, os.path.abspath(folder))
    backend = importlib.import_module(name)
    for part in filter(None, attribute.split(".")):
        backend = getattr(backend, part)
    if hasattr(backend, "get_requires_for_build_wheel"):
        demand(backend.get_requires_for_build_wheel())
    out = os.path.abspath(os.path.join(os.pardir, os.pardir, "out"))
    os.makedirs(out, exist_ok=True)
    if hasattr(backend, "prepare_metadata_for_build_wheel"):
        folder = backend.prepare_metadata_for_build_wheel(out)
        with open(os.path.join(out, folder, "METADATA"), "rb") as file:
            return file.read()
    with zipfile.ZipFile(os.path.join(out, backend.build_wheel(out))) as wheel:
        for name in wheel.namelist():
            if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
                return wheel.read(name)
    raise ValueError("the wheel that was built has no METADATA")


def from_egg_info():
    import subprocess

    os.makedirs("egg-info-out", exist_ok=True)
    command = [sys.executable, "-c", EGG_INFO, "egg_info", "--egg-base", "egg-info-out"]
    subprocess.run(command, check=True, stdout=2)
    (folder,) = os.listdir("egg-info-out")
    folder = os.path.join("egg-info-out", folder)
    with open(os.path.join(folder, "PKG-INFO"), encoding="utf-8") as file:
        header, blank, body = file.read().partition("\n\n")
    lines = [line for line in header.splitlines() if not line.startswith("Requires-Dist:")]
    path = os.path.join(folder, "requires.txt")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            lines += required(file)
    return ("\n".join(lines) + "\n" + blank + body).encode()


EGG_INFO = (
    "import setuptools, tokenize; __file__ = 'setup.py';"
    "exec(compile(tokenize.open(__file__).read(), __file__, 'exec'))"
)


def required(lines):
    extra, condition = "", ""
    for line in map(str.strip, lines):
        section = re.fullmatch(r"\[([^:\]]*):?(.*)\]", line)
        if section:
            extra, condition = section.groups()
            if extra:
                yield "Provides-Extra: " + extra
        elif line:
            markers = ["(%s)" % condition] if condition else []
            markers += ["extra == '%s'" % extra] if extra else []
            yield "Requires-Dist: " + line + ("; " + " and ".join(markers) if markers else "")


def main():
    answer = os.dup(1)  # not inherited by what the build starts
    os.dup2(2, 1)
    limit()
    os.chdir(unpack(sys.argv[1]))
    system = build_system()
    sys.path.insert(0, os.getcwd()) if "build-backend" not in system else None
    sys.argv = ["setup.py"]
    legacy = system.get("build-backend", "setuptools").startswith("setuptools")
    demand(system.get("requires", ["setuptools"]))
    try:
        metadata = from_backend(system)
    except (ImportError, AttributeError) as error:
        if not (legacy and os.path.exists("setup.py") and "build_meta" in str(error)):
            raise
        metadata = from_egg_info()
    sys.stdout.flush()
    while metadata:
        metadata = metadata[os.write(answer, metadata) :]


main()
