"""In the place of `maturin build`: a crate's library as the extension module of a wheel in `dist`."""

import os
import subprocess
import sys
import sysconfig
import tomllib

from flit_core.buildapi import native_tag, pack


def read(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def main():
    document = read("pyproject.toml")
    options = document.get("tool", {}).get("maturin", {})
    manifest = options.get("manifest-path", "Cargo.toml")
    crate = read(manifest)
    project = document["project"]
    project.setdefault("version", crate["package"]["version"])
    command = ["cargo", "build", "--release", "--offline", "--locked"]
    subprocess.run([*command, "--manifest-path", manifest, "--target-dir", "target"], check=True)
    library = crate["lib"]["name"]
    module = options.get("module-name", library).replace(".", "/")
    with open(f"target/release/lib{library}.so", "rb") as file:
        files = {module + sysconfig.get_config_var("EXT_SUFFIX"): file.read()}
    os.makedirs("dist", exist_ok=True)
    print(pack("dist", project, files, native_tag()))


sys.exit(main())
