"""The steps of building a Python package: steps.py STEP ARGUMENTS, called by build.sh.

What can differ from package to package comes in environment variables with the names of the
recipe's attributes.
"""

import base64
import configparser
import hashlib
import importlib
import importlib.metadata
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import unittest
import zipfile


def fail(message):
    sys.exit(f"error: {message}")


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def packaging():
    """The `packaging` library, as pip's own wheel carries it."""
    wheel = os.environ["pip"]
    if wheel not in sys.path:
        sys.path.append(wheel)
    from pip._vendor.packaging import requirements, version

    return requirements, version


def read_toml(path):
    try:
        import tomllib
    except ImportError:
        packaging()
        from pip._vendor import tomli as tomllib
    with open(path, "rb") as file:
        return tomllib.load(file)


def file_name(path):
    """The name of a store path without its hash."""
    return os.path.basename(path).split("-", 1)[1]


# Sources


def unpack(source, form, root):
    """Unpacks an archive or copies a folder; prints where the build should go on."""
    if form == "wheel":
        os.makedirs("wheel/dist")
        shutil.copyfile(source, os.path.join("wheel/dist", file_name(source)))
        print("wheel")
        return
    if os.path.isdir(source):
        shutil.copytree(source, "source")
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            archive.extractall(".")
    else:
        with tarfile.open(source) as archive:
            archive.extractall(".")
    for folder, _, files in os.walk("."):
        os.chmod(folder, 0o755)
        for file in files:
            path = os.path.join(folder, file)
            os.chmod(path, os.stat(path).st_mode | stat.S_IWUSR)
    folders = os.listdir(".")
    if not root and len(folders) != 1:
        fail(f"the source has {len(folders)} entries: say sourceRoot")
    print(root or folders[0])


def substitute(*words):
    """substituteInPlace FILE… (--replace-fail | --replace-warn | --replace-quiet OLD NEW)…"""
    words = list(words)
    files = []
    while words and not words[0].startswith("--"):
        files.append(words.pop(0))
    while words:
        option, old, new, *words = words
        for path in files:
            with open(path) as file:
                text = file.read()
            if old not in text and option == "--replace-fail":
                fail(f"substituteInPlace: {path} does not contain {old!r}")
            with open(path, "w") as file:
                file.write(text.replace(old, new))


# Building: PEP 517 without isolation


def installed(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def unmet(texts):
    """The requirements that what is on the path does not meet."""
    requirements, _ = packaging()
    for text in texts:
        requirement = requirements.Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = installed(requirement.name)
        if found is None:
            yield f"{requirement.name} is not installed"
        elif not requirement.specifier.contains(found, prereleases=True):
            yield f"{requirement.name}{requirement.specifier} is not met by {found}"


def build(form):
    """Makes a wheel in `dist`."""
    if form not in ("pyproject", "setuptools"):
        return
    table = {}
    if form == "pyproject" and os.path.exists("pyproject.toml"):
        table = read_toml("pyproject.toml").get("build-system", {})
    require(table.get("requires", ["setuptools"]))
    sys.path[0:0] = [os.path.abspath(path) for path in table.get("backend-path", [])]
    module, _, attribute = table.get("build-backend", "setuptools.build_meta:__legacy__").partition(":")
    backend = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        backend = getattr(backend, part)
    if hasattr(backend, "get_requires_for_build_wheel"):
        require(backend.get_requires_for_build_wheel({}))
    os.makedirs("dist", exist_ok=True)
    sys.argv = ["setup.py"]
    backend.build_wheel(os.path.abspath("dist"))


def require(texts):
    missing = list(unmet(texts))
    if missing:
        fail("build requirements: " + "; ".join(missing))


# Installing


def install(out, site):
    """Unpacks the wheel that is in `dist`."""
    wheels = [name for name in os.listdir("dist") if name.endswith(".whl")]
    if len(wheels) != 1:
        fail(f"{len(wheels)} wheels in dist")
    target = os.path.join(out, site)
    os.makedirs(target)
    with zipfile.ZipFile(os.path.join("dist", wheels[0])) as archive:
        for entry in archive.infolist():
            archive.extract(entry, target)
            if entry.external_attr >> 16 & 0o111:
                os.chmod(os.path.join(target, entry.filename), 0o755)
    for name in os.listdir(target):
        if name.endswith(".data"):
            spread(os.path.join(target, name), out, target)
    for info in dist_infos(target):
        scripts(info, out, target)


def spread(data, out, target):
    """The folders of a wheel's .data, each to its place."""
    places = {"purelib": target, "platlib": target, "scripts": f"{out}/bin", "data": out}
    for kind in os.listdir(data):
        place = places.get(kind, os.path.join(out, "include"))
        shutil.copytree(os.path.join(data, kind), place, dirs_exist_ok=True)
        if kind == "scripts":
            for name in os.listdir(place):
                shebang(os.path.join(place, name))
    shutil.rmtree(data)


def shebang(path):
    with open(path, "rb") as file:
        content = file.read()
    if content.startswith(b"#!python"):
        rest = content.partition(b"\n")[2]
        with open(path, "wb") as file:
            file.write(f"#!{sys.executable}\n".encode() + rest)
    os.chmod(path, 0o755)


def scripts(info, out, target):
    """A program for each console script; it finds its modules without an environment."""
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.optionxform = str
    parser.read(os.path.join(info, "entry_points.txt"))
    if not parser.has_section("console_scripts"):
        return
    paths = [target] + [f"{p}/{os.environ['sitePackages']}" for p in os.environ["runtime"].split()]
    os.makedirs(f"{out}/bin", exist_ok=True)
    for name, reference in parser["console_scripts"].items():
        module, _, function = reference.partition("[")[0].strip().partition(":")
        with open(f"{out}/bin/{name}", "w") as file:
            file.write(
                f"#!{sys.executable}\nimport site, sys\n"
                f"for path in {paths!r}:\n    site.addsitedir(path)\n"
                f"import importlib\nsys.exit(importlib.import_module({module!r}).{function}())\n"
            )
        os.chmod(f"{out}/bin/{name}", 0o755)


# Checks


def dist_infos(site):
    if not os.path.isdir(site):
        return []
    return [f"{site}/{name}" for name in sorted(os.listdir(site)) if name.endswith(".dist-info")]


def header(info, field):
    """The values of a field of METADATA."""
    with open(f"{info}/METADATA", encoding="utf-8") as file:
        head = file.read().partition("\n\n")[0]
    return re.findall(rf"^{field}: *(.+)$", head, re.MULTILINE)


def relax(site):
    """pythonRelaxDeps and pythonRemoveDeps: "1" for all, or names as METADATA spells them."""
    relaxed = os.environ.get("pythonRelaxDeps", "").split()
    removed = os.environ.get("pythonRemoveDeps", "").split()
    if not relaxed and not removed:
        return
    seen = set()

    def change(match):
        name, extras, marker = match[1], match[2] or "", match[4] or ""
        if removed == ["1"] or name in removed:
            seen.add(name)
            return ""
        if relaxed == ["1"] or name in relaxed:
            seen.add(name)
            return f"Requires-Dist: {name}{extras}{' ' + marker if marker else ''}\n"
        return match[0]

    for info in dist_infos(site):
        with open(f"{info}/METADATA", encoding="utf-8") as file:
            head, blank, body = file.read().partition("\n\n")
        line = r"^Requires-Dist: *([A-Za-z0-9._-]+) *(\[[^]]*\])?([^;\n]*)(;.*)?\n"
        head = re.sub(line, change, head + "\n", flags=re.MULTILINE)
        with open(f"{info}/METADATA", "w", encoding="utf-8") as file:
            file.write(head.rstrip("\n") + blank + body)
        record(info, site)
    for name in set(relaxed + removed) - seen - {"1"}:
        fail(f"{name} is relaxed or removed, but METADATA does not require it under that spelling")


def record(info, site):
    """Brings RECORD's line for METADATA up to date."""
    with open(f"{info}/METADATA", "rb") as file:
        content = file.read()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    name = f"{os.path.basename(info)}/METADATA"
    with open(f"{info}/RECORD") as file:
        lines = file.read().splitlines()
    lines = [f"{name},sha256={digest},{len(content)}" if l.startswith(name + ",") else l for l in lines]
    with open(f"{info}/RECORD", "w") as file:
        file.write("\n".join(lines) + "\n")


def requirements(site):
    """Every Requires-Dist that holds here must be installed in a fitting version."""
    sys.path.insert(0, site)
    missing = [m for info in dist_infos(site) for m in unmet(header(info, "Requires-Dist"))]
    if missing:
        fail("run-time requirements: " + "; ".join(missing))


def conflicts(site, *runtime):
    """One project must not be twice in a closure."""
    found = {}
    for path in [site] + [f"{p}/{os.environ['sitePackages']}" for p in runtime]:
        for info in dist_infos(path):
            found.setdefault(normal(header(info, "Name")[0]), set()).add(info)
    twice = {name: infos for name, infos in found.items() if len(infos) > 1}
    if twice:
        fail(f"more than one of a project in the closure: {twice}")


def paths(site, runtime):
    return os.pathsep.join([site] + [f"{p}/{os.environ['sitePackages']}" for p in runtime])


def imports(site, *runtime):
    """Imports the modules one after another, in a process that sees only the closure."""
    modules = os.environ.get("pythonImportsCheck", "").split()
    program = "import importlib, sys\nfor module in sys.argv[1:]:\n    importlib.import_module(module)"
    command = [sys.executable, "-c", program, *modules]
    environment = {**os.environ, "PYTHONPATH": paths(site, runtime)}
    if modules and subprocess.run(command, env=environment, cwd="/").returncode:
        fail(f"not everything can be imported of {' '.join(modules)}")


def metadata(site):
    """A distribution of the recipe's name and version must have been installed."""
    _, version = packaging()
    pname, wanted = os.environ["pname"], os.environ["version"]
    for info in dist_infos(site):
        if normal(header(info, "Name")[0]) == normal(pname):
            actual = header(info, "Version")[0]
            if version.Version(actual) != version.Version(wanted):
                fail(f"the recipe says version {wanted}, METADATA says {actual}")
            return
    fail(f"no distribution named {pname} was installed")


def unittest_(site, *runtime):
    sys.path[0:0] = paths(site, runtime).split(os.pathsep)
    tests = unittest.defaultTestLoader.discover(".")
    if not unittest.TextTestRunner().run(tests).wasSuccessful():
        fail("tests failed")


def check(site, *runtime):
    """What nixpkgs checks after the installation, in its order."""
    built = os.environ["format"] in ("pyproject", "wheel")
    if built:
        relax(site)
        if not os.environ.get("dontCheckRuntimeDeps"):
            requirements(site)
    conflicts(site, *runtime)
    imports(site, *runtime)
    if built and not os.environ.get("dontCheckPythonMetadata"):
        metadata(site)


# Environments


def environment(site, programs, *modules):
    """Links of all modules in one site-packages; two different files of one name are an error."""
    for module in modules:
        base = f"{module}/{site.partition('/lib/')[2] and 'lib/' + site.split('/lib/', 1)[1]}"
        for folder, _, files in os.walk(base):
            target = os.path.join(site, os.path.relpath(folder, base))
            os.makedirs(target, exist_ok=True)
            for name in files:
                link(os.path.join(folder, name), os.path.join(target, name))
        if os.path.isdir(f"{module}/bin"):
            for name in os.listdir(f"{module}/bin"):
                if not name.startswith("python"):
                    link(f"{module}/bin/{name}", f"{programs}/{name}")


def link(source, target):
    if not os.path.lexists(target):
        os.symlink(source, target)
        return
    with open(source, "rb") as one, open(target, "rb") as other:
        if one.read() != other.read() and not os.environ.get("ignoreCollisions"):
            fail(f"{source} and {os.path.realpath(target)} collide")


if __name__ == "__main__":
    step, *arguments = sys.argv[1:]
    {
        "unpack": unpack,
        "substitute": substitute,
        "build": build,
        "install": install,
        "check": check,
        "unittest": unittest_,
        "environment": environment,
    }[step](*arguments)
