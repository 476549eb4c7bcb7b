#!/usr/bin/env python3
"""Whether a whole `pyresolve lock` is limited by bandwidth only.

A loopback index serves N projects that nixpkgs does not have, each with one sdist of S MiB, at so many MiB/s
in all and with a delay before each answer. Measured in turn: the resolution alone (`--lock-only`), a parallel
download of the sdists, the whole lock with an empty cache, and once more with what that one left there.
The whole lock should take at most 1.2 times the download, plus the resolution; the last run downloads nothing.

    cargo build --release && benches/full_run.py [--sdists 20] [--size 2] [--rate 40] [--delay 20]
"""

import argparse
import gzip
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

PROGRAM = os.path.join(os.path.dirname(__file__), "..", "target", "release", "pyresolve")
CHUNK = 64 << 10


def sdist(name, needs, size):
    """A source archive with a static pyproject.toml and `size` bytes that do not compress."""
    files = {
        "PKG-INFO": "Metadata-Version: 2.2\nName: %s\nVersion: 1.0\n" % name
                    + "".join("Requires-Dist: %s\n" % need for need in needs),
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
                          '[project]\nname = "%s"\nversion = "1.0"\ndependencies = %s\n' % (name, json.dumps(needs)),
        name.replace("-", "_") + "/__init__.py": "",
        "data.bin": os.urandom(size),
    }
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for path, text in files.items():
            data = text if isinstance(text, bytes) else text.encode()
            info = tarfile.TarInfo("%s-1.0/%s" % (name.replace("-", "_"), path))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(tar.getvalue(), 1)


class Bandwidth:
    """All answers together get so many bytes a second."""

    def __init__(self, rate):
        self.rate, self.free, self.lock = rate, time.monotonic(), threading.Lock()

    def take(self, count):
        with self.lock:
            self.free = max(self.free, time.monotonic()) + count / self.rate
            wait = self.free - time.monotonic()
        if wait > 0:
            time.sleep(wait)


def serve(options):
    """Starts the index; its address, the addresses of the sdists, and the count of what was asked for."""
    files, asked = {}, {"files": 0, "bytes": 0}
    bandwidth = Bandwidth(options.rate * (1 << 20))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            time.sleep(options.delay / 1000)
            kind, body = files.get(self.path, (None, b""))
            if self.path.endswith(".tar.gz"):
                asked["files"] += 1
                asked["bytes"] += len(body)
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for at in range(0, len(body), CHUNK):
                part = body[at:at + CHUNK]
                bandwidth.take(len(part))
                self.wfile.write(part)

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    base = "http://127.0.0.1:%d" % server.server_port
    addresses = []
    for number in range(options.sdists):
        name = "zz-project-%d" % number
        # A chain of four, so that the last sdists of each are found late.
        needs = ["zz-project-%d" % (number + 1)] if number % 4 != 3 and number + 1 < options.sdists else []
        data = sdist(name, needs, int(options.size * (1 << 20)))
        file = "/files/%s-1.0.tar.gz" % name.replace("-", "_")
        wheel = "%s-1.0-py3-none-any.whl" % name.replace("-", "_")
        metadata = ("Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n" % name
                    + "".join("Requires-Dist: %s\n" % need for need in needs)).encode()
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": [
            {"filename": wheel, "url": base + "/files/" + wheel, "size": 1000,
             "hashes": {"sha256": hashlib.sha256(wheel.encode()).hexdigest()},
             "core-metadata": {"sha256": hashlib.sha256(metadata).hexdigest()}},
            {"filename": os.path.basename(file), "url": base + file, "size": len(data),
             "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}]}
        files["/simple/%s/" % name] = ("application/vnd.pypi.simple.v1+json", json.dumps(page).encode())
        files["/files/%s.metadata" % wheel] = ("application/octet-stream", metadata)
        files[file] = ("application/octet-stream", data)
        addresses.append(base + file)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return base + "/simple/", addresses, asked


def timed(work):
    start = time.monotonic()
    work()
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sdists", type=int, default=20)
    parser.add_argument("--size", type=float, default=2, help="MiB of each")
    parser.add_argument("--rate", type=float, default=40, help="MiB/s of all answers together")
    parser.add_argument("--delay", type=float, default=20, help="ms before each answer")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--program", default=PROGRAM)
    options = parser.parse_args()
    index, addresses, asked = serve(options)
    roots = ["zz-project-%d" % number for number in range(0, options.sdists, 4)]
    folder = tempfile.mkdtemp()

    def run(cache, *more):
        command = [os.path.abspath(options.program), "lock", *roots, "--nixpkgs", "snapshot", "--index-url", index,
                   "--system", "x86_64-linux", "--cache-dir", os.path.join(folder, cache),
                   "-q", *more]
        # Build requirements are nixpkgs' own and not asked of this index.
        done = subprocess.run(command, cwd=os.path.join(folder, "out"), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("%s\n%s" % (" ".join(command), done.stderr))

    def fetch(address):
        with urllib.request.urlopen(address) as answer:
            while answer.read(CHUNK):
                pass

    def download():
        with ThreadPoolExecutor(24) as pool:
            list(pool.map(fetch, addresses))

    rows = []
    for repeat in range(options.repeats):
        shutil.rmtree(os.path.join(folder, "out"), ignore_errors=True)
        os.makedirs(os.path.join(folder, "out"), exist_ok=True)
        resolution = timed(lambda: run("a%d" % repeat, "--lock-only"))
        os.remove(os.path.join(folder, "out", "pylock.toml"))
        files = timed(download)
        whole = timed(lambda: run("b%d" % repeat))
        for name in ("pylock.toml", "dependencies.nix"):
            os.remove(os.path.join(folder, "out", name))
        before = asked["files"]
        again = timed(lambda: run("b%d" % repeat))
        rows.append((resolution, files, whole, again, asked["files"] - before))
    shutil.rmtree(folder)
    print("%d sdists of %g MiB at %g MiB/s, %g ms; seconds" % (options.sdists, options.size, options.rate, options.delay))
    print("resolution  download  whole lock  allowed  again  downloads then")
    for resolution, files, whole, again, count in rows:
        print("%10.2f  %8.2f  %10.2f  %7.2f  %5.2f  %14d"
              % (resolution, files, whole, 1.2 * files + resolution, again, count))


if __name__ == "__main__":
    main()
