#!/usr/bin/env python3
"""Times the sandbox against moto_server: the same requests, from the same client, in the same run.

    pip install 'moto[server]==5.*'
    cargo build --release
    python3 benches/peers.py

Both servers listen on loopback. They are asked in turn, in rounds, so that a machine that slows down slows both. The client is
a plain socket that stays open and sends requests that were made beforehand: what is timed is the server and the loopback, little
else. Every answer is looked at: a server that is fast because it refused is not counted as fast.

The sandbox keeps its store in a file, as `bootcamp sandbox` does by default; `--store memory` takes the other kind. moto keeps
everything in memory. The output is a table in Markdown: medians over all requests, their ratio, and the smallest and largest
ratio of the rounds' own medians.
"""

import argparse
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DAY = time.strftime("%Y%m%d", time.gmtime())
MESSAGE = "127.0.0.1 - \"GET /api/activities/home HTTP/1.1\" 200 1.834 ms request={:08x} user=andrew agent=curl/8.5.0"
NEEDLE = "needle7f3a91"


# The client


class Connection:
    """One kept-alive HTTP/1.1 connection."""

    def __init__(self, port):
        self.port = port
        self.socket = None
        self.buffer = b""
        self.used = 0.0

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def refresh(self):
        """Servers close what is idle for long: a new connection then, before anything is timed."""
        if self.socket is not None and time.monotonic() - self.used > 3:
            self.socket.close()
            self.open()

    def ask(self, request):
        """Sends the bytes of a request; returns the status and the body."""
        if self.socket is None:
            self.open()
        self.socket.sendall(request)
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self.more()
        head, self.buffer = self.buffer[:end].lower(), self.buffer[end + 4 :]
        at = head.find(b"content-length:")
        if at < 0:
            raise RuntimeError(f"an answer without a length: {head!r}")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self.socket.close()
            self.socket = None
        self.used = time.monotonic()
        return int(head.split(b" ", 2)[1]), body

    def more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise RuntimeError("the server closed the connection")
        self.buffer += data


def request(service, path, body, target=None):
    """The bytes of a signed-looking request: neither server verifies signatures."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {'application/x-amz-json-1.1' if target else 'application/json'}",
        f"Content-Length: {len(body)}",
        f"X-Amz-Date: {DAY}T000000Z",
        f"Authorization: AWS4-HMAC-SHA256 Credential=AKIASANDBOX000000001/{DAY}/us-east-1/{service}/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64,
    ]
    if target:
        head.append(f"X-Amz-Target: Logs_20140328.{target}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def logs(operation, body):
    return request("logs", "/", body, operation)


# The servers


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server in a process of its own."""

    def __init__(self, name, command, port):
        self.name = name
        self.port = port
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.connection = Connection(port)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                sys.exit(f"{name} did not start: {' '.join(command)}")
            time.sleep(0.05)

    def ask(self, bytes_):
        status, body = self.connection.ask(bytes_)
        if status != 200:
            sys.exit(f"{self.name} answered {status}: {body[:500]!r}")
        return body

    def cpu(self):
        """CPU seconds so far; None where the system does not say."""
        try:
            fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


# What is asked


def lines(count, start=0):
    now = int(time.time() * 1000)
    return [{"timestamp": now, "message": MESSAGE.format(start + number)} for number in range(count)]


def put(group, events):
    return logs("PutLogEvents", {"logGroupName": group, "logStreamName": "backend", "logEvents": events})


def fill(server, group, count):
    """Puts lines, one of which holds the needle, somewhere past the middle."""
    server.connection.refresh()
    special, batch = count * 2 // 3, 5000
    for start in range(0, count, batch):
        events = lines(min(batch, count - start), start)
        if start <= special < start + batch:
            events[special - start]["message"] += " " + NEEDLE
        server.ask(put(group, events))


def new_group(server, group):
    server.ask(logs("CreateLogGroup", {"logGroupName": group}))
    server.ask(logs("CreateLogStream", {"logGroupName": group, "logStreamName": "backend"}))


def trace_id():
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def document(trace):
    """A segment as the course's service sends it, with one subsegment."""
    now = time.time()
    return json.dumps({
        "trace_id": trace, "id": secrets.token_hex(8), "name": "backend-rust", "start_time": now - 0.004, "end_time": now,
        "http": {"request": {"method": "GET", "url": "http://127.0.0.1:4567/api/activities/home"}, "response": {"status": 200}},
        "annotations": {"user": "andrew"},
        "subsegments": [{
            "id": secrets.token_hex(8), "name": "mock-data", "start_time": now - 0.003, "end_time": now - 0.001,
            "metadata": {"default": {"now": "2026-01-01T00:00:00Z", "results-size": 3}},
        }],
    })


def put_traces(traces):
    return request("xray", "/TraceSegments", {"TraceSegmentDocuments": [document(trace) for trace in traces]})


def all_taken(body):
    return not json.loads(body or b"{}").get("UnprocessedTraceSegments")


def one_found(body):
    events = json.loads(body)["events"]
    return len(events) == 1 and NEEDLE in events[0]["message"]


def five_traces(body):
    traces = json.loads(body)["Traces"]
    return len(traces) == 5 and all(trace["Segments"] for trace in traces)


class Measure:
    """One row: how to prepare a server, which requests to send in a round, and whether an answer is right."""

    def __init__(self, title, requests, prepare=None, right=lambda body: True):
        self.title = title
        self.requests = requests
        self.prepare = prepare or (lambda server: None)
        self.right = right


def measures(options):
    n = options.requests
    kept = [trace_id() for _ in range(1000)]

    def keep_traces(server):
        for start in range(0, len(kept), 25):
            server.ask(put_traces(kept[start : start + 25]))

    def find(group):
        return logs("FilterLogEvents", {"logGroupName": group, "filterPattern": f'"{NEEDLE}"'})

    def get(start):
        return request("xray", "/Traces", {"TraceIds": kept[start : start + 5]})

    yield Measure("PutLogEvents, 1 event", lambda: [put("single", lines(1)) for _ in range(n)],
                  lambda server: new_group(server, "single"))
    for size in (100, 500):
        group = f"batches-of-{size}"
        yield Measure(f"PutLogEvents, {size} events",
                      lambda group=group, size=size: [put(group, lines(size)) for _ in range(max(n // 10, 5))],
                      lambda server, group=group: new_group(server, group))
    for count, times in [(10_000, max(n // 20, 3)), (options.lines, 2)]:
        group = f"haystack-{count}"

        def prepare(server, group=group, count=count):
            new_group(server, group)
            fill(server, group, count)

        yield Measure(f"FilterLogEvents, 1 line in {count:,}", lambda group=group, times=times: [find(group)] * times,
                      prepare, one_found)
    yield Measure("PutTraceSegments, 1 document", lambda: [put_traces([trace_id()]) for _ in range(n)], None, all_taken)
    yield Measure("PutTraceSegments, 25 documents", lambda: [put_traces([trace_id() for _ in range(25)]) for _ in range(n // 5)],
                  None, all_taken)
    yield Measure("BatchGetTraces, 5 of 1,000 and more", lambda: [get(5 * index % 1000) for index in range(n)], keep_traces,
                  five_traces)


def timed(server, requests, right):
    """Sends the requests one after the other; returns the seconds that each took, and the CPU seconds of the server for each."""
    server.connection.refresh()
    seconds, bodies, before = [], [], server.cpu()
    for bytes_ in requests:
        begun = time.perf_counter()
        body = server.ask(bytes_)
        seconds.append(time.perf_counter() - begun)
        bodies.append(body)
    after = server.cpu()
    for body in bodies:
        if not right(body):
            sys.exit(f"{server.name} gave a wrong answer: {body[:500]!r}")
    return seconds, None if before is None else (after - before) / len(requests)


def shown(seconds):
    if seconds is None:
        return "–"
    for unit, size in [("s", 1), ("ms", 1e-3)]:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.0f} µs"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bootcamp", default=ROOT / "target/release/bootcamp", type=pathlib.Path, help="the binary")
    parser.add_argument("--store", choices=["file", "memory"], default="file", help="where the sandbox keeps its data")
    parser.add_argument("--rounds", default=5, type=int, help="how often the servers take turns")
    parser.add_argument("--requests", default=100, type=int, help="small requests in a round")
    parser.add_argument("--only", default="", help="only requests whose title contains this")
    parser.add_argument("--lines", default=1_000_000, type=int, help="lines of the large log group")
    options = parser.parse_args()
    if not options.bootcamp.exists():
        sys.exit(f"`{options.bootcamp}` is not there; run `cargo build --release`, or name the binary with --bootcamp")

    workspace = pathlib.Path(tempfile.mkdtemp(prefix="bootcamp-peers-"))
    servers = []
    try:
        port = free_port()
        command = [str(options.bootcamp), "sandbox", "-C", str(workspace), "--no-bridge", "--http-port", str(port),
                   "--grpc-port", "0", "--daemon-port", "0"]
        servers.append(Server("the sandbox", command + (["--memory"] if options.store == "memory" else []), port))
        port = free_port()
        servers.append(Server("moto", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port))
        report(options, servers)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(workspace, ignore_errors=True)


def report(options, servers):
    import moto

    print(f"Sandbox (store in {options.store}) and moto_server {moto.__version__}, {os.cpu_count()} cores, "
          f"{options.rounds} rounds:\n")
    print("| request | sandbox | moto_server | times faster | rounds | CPU: sandbox | moto_server |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for measure in measures(options):
        if options.only not in measure.title:
            continue
        for server in servers:
            server.connection.refresh()
            measure.prepare(server)
            # Connections, caches and code paths warm up before they are timed.
            timed(server, measure.requests()[:10], measure.right)
        seconds, cpu, ratios = [[], []], [[], []], []
        for turn in range(options.rounds):
            medians = [0.0, 0.0]
            for side in (0, 1) if turn % 2 == 0 else (1, 0):
                spent, used = timed(servers[side], measure.requests(), measure.right)
                seconds[side] += spent
                if used is not None:
                    cpu[side].append(used)
                medians[side] = statistics.median(spent)
            ratios.append(medians[1] / medians[0])
        ours, theirs = (statistics.median(all_) for all_ in seconds)
        ours_cpu, theirs_cpu = (statistics.mean(all_) if all_ else None for all_ in cpu)
        print(f"| {measure.title} | {shown(ours)} | {shown(theirs)} | **{theirs / ours:.1f}** | "
              f"{min(ratios):.1f}–{max(ratios):.1f} | {shown(ours_cpu)} | {shown(theirs_cpu)} |", flush=True)


if __name__ == "__main__":
    main()
