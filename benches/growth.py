#!/usr/bin/env python3
"""How the cost of a lock grows with the number of projects in the answer.

A loopback index serves N projects with R releases each, of two wheels and an sdist. Project k needs 2k+1 and
2k+2, so that a search finds them in rounds, and one more project within a range; every fifth requirement excludes
the newest release (`--conflicts 0` leaves that out). For each N the CPU time, user and system, the least of the
repeats, of

  cold    an empty cache
  anew    what cold left, without answers to whole questions: everything is solved again, nothing asked
  same    what cold left: the same question
  relock  the lock in place

    cargo build --release && benches/growth.py [--counts 10,30,100,300,1000] [--releases 30] [--json FILE]

In brackets stands the time per project beyond that of `--version`: constant where the growth is linear.
"""

import argparse
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = os.path.join(os.path.dirname(__file__), "..", "target", "release", "pyresolve")
MODES = ("cold", "anew", "same", "relock")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def needs(number, count, releases, conflicts):
    """What every release of a project requires."""
    wanted = [2 * number + 1, 2 * number + 2]
    other = (7 * number + 3) % count
    found = ["zz-p%d>=%d" % (child, releases // 3) for child in wanted if child < count]
    if other > number and other not in wanted:
        newest = "<%d" % (releases - 1) if conflicts and number % conflicts == 0 else ""
        found.append("zz-p%d%s" % (other, ",".join(filter(None, [">=2", newest]))))
    return found


def universe(count, options, base):
    """Pages and metadata by path."""
    files, releases = {}, options.releases
    for number in range(count):
        name = "zz-p%d" % number
        wanted = needs(number, count, releases, options.conflicts)
        lines = "".join("Requires-Dist: %s\n" % need for need in wanted)
        listed = []
        for version in range(releases):
            metadata = "Metadata-Version: 2.1\nName: %s\nVersion: %d\nRequires-Python: >=3.8\n%s\n%s" % (
                name, version, lines, "About it.\n" * 200)
            for tag in ("py3-none-any", "cp313-cp313-manylinux_2_28_x86_64"):
                wheel = "zz_p%d-%d-%s.whl" % (number, version, tag)
                listed.append({"filename": wheel, "url": base + "/files/" + wheel, "size": 10000 + version,
                               "hashes": {"sha256": digest(wheel)}, "requires-python": ">=3.8", "yanked": False,
                               "upload-time": "2024-01-%02dT00:00:00.000000Z" % (1 + version % 28),
                               "core-metadata": {"sha256": digest(metadata)}})
                files["/files/%s.metadata" % wheel] = metadata.encode()
            sdist = "zz_p%d-%d.tar.gz" % (number, version)
            listed.append({"filename": sdist, "url": base + "/files/" + sdist, "size": 9000 + version,
                           "hashes": {"sha256": digest(sdist)}, "requires-python": ">=3.8", "yanked": False,
                           "upload-time": "2024-01-%02dT00:00:00.000000Z" % (1 + version % 28)})
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": listed}
        files["/simple/%s/" % name] = json.dumps(page).encode()
    return files


def serve():
    """Starts an index of what is put into a dictionary."""
    files, asked = {}, [0]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            asked[0] += 1
            body = files.get(self.path)
            kind = "application/vnd.pypi.simple.v1+json" if self.path.startswith("/simple/") else "text/plain"
            head = "HTTP/1.1 %s\r\nContent-Type: %s\r\nCache-Control: max-age=86400\r\nContent-Length: %d\r\n\r\n" % (
                "200 OK" if body is not None else "404 Not Found", kind, len(body or b""))
            self.wfile.write(head.encode() + (body or b""))

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_port, files, asked


def measured(command, folder):
    """CPU and wall seconds of a command."""
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read().decode()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit("%s\n%s" % (" ".join(command), said))
    return used.ru_utime + used.ru_stime, time.monotonic() - start


def series(options, count, base, files, asked):
    files.clear()
    files.update(universe(count, options, base))
    folder = tempfile.mkdtemp()
    cache, out = os.path.join(folder, "cache"), os.path.join(folder, "pylock.toml")
    command = [os.path.abspath(options.program), "lock", "zz-p0", "--lock-only", "--prefer", "latest", "--nixpkgs", "none",
               "--python", "3.13", "--system", "x86_64-linux", "--index-url", base + "/simple/", "--cache-dir", cache,
               "-q", "-o", out]
    found = {mode: [] for mode in MODES}
    requests = 0
    for _ in range(options.repeats):
        for mode in MODES:
            if mode == "cold":
                shutil.rmtree(cache, ignore_errors=True)
            if mode == "anew":
                for place, names, _ in os.walk(cache):
                    if "answers" in names:
                        shutil.rmtree(os.path.join(place, "answers"))
            if mode != "relock" and os.path.exists(out):
                os.remove(out)
            before = asked[0]
            found[mode].append(measured(command, folder))
            if mode == "cold":
                requests = asked[0] - before
            elif asked[0] != before:
                sys.exit("%s asked the index" % mode)
    with open(out) as lock:
        pins = lock.read().count("[[packages]]")
    shutil.rmtree(folder)
    if pins != count:
        sys.exit("%d pins, not %d" % (pins, count))
    least = {mode: [min(column) for column in zip(*found[mode])] for mode in MODES}
    return {"projects": count, "requests": requests, **{
        mode: {"cpu_ms": cpu * 1000, "wall_ms": wall * 1000} for mode, (cpu, wall) in least.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", default="10,30,100,300,1000")
    parser.add_argument("--releases", type=int, default=30)
    parser.add_argument("--conflicts", type=int, default=5, help="every so many-th requirement excludes the newest")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--program", default=PROGRAM)
    parser.add_argument("--json", help="a file for the figures")
    options = parser.parse_args()
    base, files, asked = serve()
    start = min(measured([os.path.abspath(options.program), "--version"], ".") for _ in range(5))[0] * 1000
    rows = [series(options, int(count), base, files, asked) for count in options.counts.split(",")]
    print("CPU ms (per project); a start alone takes %.1f ms" % start)
    print("| projects | requests | " + " | ".join(MODES) + " |\n|" + "---|" * (2 + len(MODES)))
    for row in rows:
        cells = ["%.1f (%.3f)" % (row[mode]["cpu_ms"], (row[mode]["cpu_ms"] - start) / row["projects"])
                 for mode in MODES]
        print("| %d | %d | %s |" % (row["projects"], row["requests"], " | ".join(cells)))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"start_ms": start, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
