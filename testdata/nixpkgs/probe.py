"""Prints, as JSON, what the package set needs to know of this machine.

The Python that runs this is the set's `python3`; others are looked for on PATH. `wheels` are those
that Python's own ensurepip, or Debian's python3-*-whl packages, bring along; where setuptools or
wheel are only installed, a wheel is made of the installed files in the folder given as argument.
"""

import ensurepip
import glob
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

FOLDERS = [os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"), "/usr/share/python-wheels"]


def bundled(name):
    found = [w for folder in FOLDERS for w in glob.glob(f"{folder}/{name}-*.whl")]
    return found[0] if found else None


def packed(name, folder):
    """A wheel of an installed distribution: its packages, and its metadata as a .dist-info."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if folder is None:
        return None
    stem = f"{name}-{distribution.version}"
    path = os.path.join(folder, f"{stem}-py3-none-any.whl")
    if os.path.exists(path):
        return path
    unfinished = f"{path}.{os.getpid()}"
    with zipfile.ZipFile(unfinished, "w") as wheel:
        for top in (distribution.read_text("top_level.txt") or name).split():
            root = str(distribution.locate_file(top))
            for file in sorted(glob.glob(f"{root}/**/*.py", recursive=True)):
                wheel.write(file, top + file[len(root) :])
        metadata = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO")
        wheel.writestr(f"{stem}.dist-info/METADATA", metadata)
        wheel.writestr(f"{stem}.dist-info/entry_points.txt", distribution.read_text("entry_points.txt") or "")
        wheel.writestr(f"{stem}.dist-info/RECORD", "")
    os.replace(unfinished, path)
    return path


def others():
    """CPythons of other minor versions, on PATH or installed by pyenv."""
    found = {}
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    for minor in range(9, 16):
        places = [shutil.which(f"python3.{minor}"), *sorted(glob.glob(f"{pyenv}/versions/3.{minor}.*/bin/python3"))]
        for path in filter(None, places if minor != sys.version_info.minor else []):
            program = "import sys; print(sys.executable, '%d.%d.%d' % sys.version_info[:3])"
            run = subprocess.run([path, "-IS", "-c", program], capture_output=True, text=True)
            if run.returncode == 0:
                executable, version = run.stdout.split()
                found[f"3.{minor}"] = {"executable": executable, "version": version}
    return found


def programs():
    """Where build tools are; of Rust the toolchain itself, not a manager's stand-in for it."""
    found = {name: shutil.which(name) for name in ("cmake", "meson", "ninja")}
    rust = {"cargo": None, "rustc": None}
    if shutil.which("rustc"):
        ask = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True)
        folder = os.path.join(ask.stdout.strip(), "bin")
        rust = {name: shutil.which(name, path=folder) for name in rust}
    return {**found, **rust}


def main(folder=None):
    wheels, versions = {}, {}
    for name in ("pip", "setuptools", "wheel"):
        path = bundled(name) or packed(name, folder)
        if path:
            wheels[name] = path
            versions[name] = re.match(r"[^-]+-([^-]+)-", os.path.basename(path))[1]
    host = {
        "shell": shutil.which("bash"),
        "path": os.environ["PATH"],
        "pkgConfig": shutil.which("pkg-config"),
        "compiler": shutil.which("cc"),
        "programs": programs(),
        "python": {"executable": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3]},
        "others": others(),
        "wheels": {**wheels, "versions": versions},
    }
    include = __import__("sysconfig").get_path("include")
    host["headers"] = os.path.exists(os.path.join(include, "Python.h"))
    print(json.dumps(host, indent=1))


main(*sys.argv[1:])
