#!/usr/bin/env python3
"""Makes companions.tsv from Debian's lists of packages.

usage: make.py PACKAGES CONTENTS... > companions.tsv

PACKAGES is a Packages file of Debian, CONTENTS its Contents files, all as plain text; ../nixpkgs/python-packages.tsv
says which projects PyPI has. README.md says how to get the lists, and what is left out and why.
"""
import pathlib
import re
import sys

# Mostly needed by older releases, for tests, or for what upstream calls optional.
NEVER = set(
    """awscli brotli chardet coverage decorator distro email-validator ephem greenlet legacy-cgi lz4 mock nose pip
    pygobject pytest pytz ruamel-yaml-clib setuptools simplejson sphinx uvloop wheel""".split()
)

# Debian makes them need what upstream calls extras.
WITH_EXTRAS = set("autobahn celery django-allauth fonttools httpx oauthlib tablib".split())

# What the newest releases need no longer, or only for extras.
NO_LONGER = {
    "asttokens": "astroid",
    "bleach": "html5lib",
    "boto3": "requests",
    "botocore": "requests",
    "docutils": "roman-numerals",
    "google-auth": "pyu2f responses rsa",
    "ipykernel": "nest-asyncio",
    "jupyter-events": "click rich",
    "moto": "antlr4-python3-runtime flask",
    "msal-extensions": "portalocker",
    "twisted": "pyhamcrest",
    "uvicorn": "wsproto",
}

# Pages of hundreds of kilobytes: only where upstream certainly needs the project.
LARGE = {
    "bcrypt": "paramiko",
    "cryptography": """acme asyncssh authlib azure-identity azure-storage-blob certbot google-auth josepy joserfc
        jwcrypto moto msal paramiko pyopenssl pyspnego secretstorage service-identity""",
    "grpcio": "google-api-core grpcio-status grpcio-tools opentelemetry-exporter-otlp-proto-grpc",
    "lxml": "cssselect2 premailer pyquery python-docx python-pptx readability-lxml zeep",
    "matplotlib": "seaborn scikit-plot plotnine",
    "msgpack": "distributed mitmproxy pynvim",
    "numpy": """astropy biopython bokeh bottleneck cftime contourpy gensim h5py imageio matplotlib netcdf4 numba
        numcodecs numexpr pandas patsy pyerfa pywavelets scikit-image scikit-learn scipy seaborn shapely statsmodels
        tifffile transformers xarray zarr""",
    "pandas": "geopandas seaborn statsmodels xarray",
    "pillow": "imageio matplotlib pilkit scikit-image wagtail willow",
    "protobuf": """google-api-core googleapis-common-protos grpcio-status grpcio-tools opentelemetry-proto
        proto-plus""",
    "psutil": "distributed ipykernel",
    "pycryptodomex": "",
    "regex": "dateparser nltk transformers",
    "ruamel-yaml": "conda cwltool hyperpyyaml schema-salad",
    "scipy": "scikit-image scikit-learn seaborn statsmodels",
    "sqlalchemy": "alembic flask-sqlalchemy",
    "wrapt": "aiobotocore deprecated opentelemetry-instrumentation",
}


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def published(table):
    """Projects that PyPI has."""
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {row[1] or row[0].lstrip("-") for row in rows}


def projects(contents):
    """Which project is in a package, where there is just one."""
    path = re.compile(r"usr/lib/python3[^/]*/(?:dist|site)-packages/([A-Za-z0-9._]+?)-[0-9][^/]*\.(?:dist|egg)-info[/ ]")
    found = {}
    for name in contents:
        with open(name, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if match := path.match(line):
                    for package in line.rsplit(None, 1)[1].split(","):
                        found.setdefault(package.rsplit("/", 1)[-1], set()).add(normalized(match.group(1)))
    return {package: min(names) for package, names in found.items() if len(names) == 1}


def requirements(packages):
    """What packages need in any case."""
    package = ""
    with open(packages, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("Package: "):
                package = line.split()[1]
            elif line.startswith("Depends: "):
                parts = [part.split()[0].split(":")[0] for part in line[9:].split(",") if part.strip() and "|" not in part]
                yield package, parts


def certain(project, companion):
    if companion in LARGE:
        return project in LARGE[companion].split()
    doubtful = NEVER | set(NO_LONGER.get(project, "").split())
    return companion != project and companion not in doubtful


def main():
    packages, *contents = sys.argv[1:]
    of = projects(contents)
    known = published(pathlib.Path(__file__).parent.parent / "nixpkgs" / "python-packages.tsv")
    companions = {}
    for package, parts in requirements(packages):
        project = of.get(package)
        needs = {of[part] for part in parts if part in of} & known
        if project in known - WITH_EXTRAS:
            sure = {name for name in needs if certain(project, name)}
            companions[project] = companions.get(project, sure) & sure
    for project, names in sorted(companions.items()):
        if names:
            print(project, *sorted(names), sep="\t")


main()
