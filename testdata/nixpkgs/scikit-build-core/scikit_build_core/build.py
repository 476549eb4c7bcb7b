"""A PEP 517 backend with the name of a well-known one, written for these tests: runs CMake and packs what
it installs."""

import subprocess
import sys
import tempfile

from flit_core.buildapi import native_tag, pack, read_project, tree


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with tempfile.TemporaryDirectory() as folder:
        build, site = f"{folder}/build", f"{folder}/site"
        configure = ["cmake", "-S", ".", "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"]
        configure += [f"-DCMAKE_INSTALL_PREFIX={site}", f"-DPython_EXECUTABLE={sys.executable}"]
        for command in (configure, ["cmake", "--build", build], ["cmake", "--install", build]):
            subprocess.run(command, check=True)
        return pack(wheel_directory, read_project(), tree(site), native_tag())
