"""A plugin of setuptools with the name of a well-known one, written for these tests: runs Cargo."""

import os
import shutil
import subprocess
import sysconfig

from setuptools.command.build_ext import build_ext


class RustExtension:
    """An extension module that is a crate's library."""

    def __init__(self, target, path="Cargo.toml"):
        self.target, self.path = target, path


def rust_extensions(distribution, keyword, extensions):
    """The keyword of `setup()`."""

    class Build(build_ext):
        def run(self):
            super().run()
            for extension in extensions:
                command = ["cargo", "build", "--release", "--offline", "--locked"]
                command += ["--manifest-path", extension.path, "--target-dir", "target"]
                subprocess.run(command, check=True)
                *folders, name = extension.target.split(".")
                target = os.path.join(self.build_lib, *folders, name + sysconfig.get_config_var("EXT_SUFFIX"))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(f"target/release/lib{name}.so", target)

    distribution.has_ext_modules = lambda: True
    distribution.cmdclass["build_ext"] = Build
