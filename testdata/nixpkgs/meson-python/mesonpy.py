"""A PEP 517 backend with the name of a well-known one, written for these tests: runs Meson and packs what
it installs."""

import os
import subprocess
import sys
import tempfile

from flit_core.buildapi import native_tag, pack, read_project, tree


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with tempfile.TemporaryDirectory() as folder:
        native = os.path.join(folder, "native.ini")
        with open(native, "w") as file:
            file.write(f"[binaries]\npython = '{sys.executable}'\n")
        site, build = f"{folder}/site", f"{folder}/build"
        setup = ["meson", "setup", build, "--native-file", native, "--buildtype", "release"]
        setup += [f"--prefix={folder}/rest", f"-Dpython.platlibdir={site}", f"-Dpython.purelibdir={site}"]
        for command in (setup, ["meson", "install", "-C", build]):
            subprocess.run(command, check=True)
        return pack(wheel_directory, read_project(), tree(site), native_tag())
