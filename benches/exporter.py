"""The measuring half of exporter.sh; see there. Only the standard library."""

import asyncio
import http.client
import os
import socket
import sys
import threading
import time
import urllib.parse

TICK = os.sysconf("SC_CLK_TCK")
TARGETS = 1000
# What Prometheus asks for, without gzip: packing is measured by nobody's client here.
ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_mib(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"process {pid} is gone")


class Scraper:
    """One kept HTTP connection."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)

    def get(self, path=None, accept=ACCEPT, timeout="10"):
        path = path or self.url.path + ("?" + self.url.query if self.url.query else "")
        headers = {"Accept": accept, "X-Prometheus-Scrape-Timeout-Seconds": timeout}
        began = time.perf_counter()
        try:
            self.connection.request("GET", path, headers=headers)
            response = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A kept connection may have come to its end meanwhile: Prometheus connects anew, too.
            self.connection.close()
            self.connection.request("GET", path, headers=headers)
            response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status} {body[:200]!r}")
        return time.perf_counter() - began, body


# The most expensive of what both exporters ask for.
ASKED = [
    ("INFO", "everything"), ("CONFIG", "GET", "maxmemory"), ("SLOWLOG", "LEN"), ("SLOWLOG", "GET", "1"),
    ("LATENCY", "LATEST"), ("LATENCY", "HISTOGRAM"),
]


class Redis:
    """What a scrape asks a Redis, over a kept connection and nothing else: how long that alone takes."""

    def __init__(self, scraper):
        target = urllib.parse.urlsplit(urllib.parse.parse_qs(scraper.url.query)["target"][0])
        asked = ASKED + [("ECHO", "done")]
        self.commands = b"".join(command(*words) for words in asked)
        self.socket = socket.create_connection((target.hostname, target.port))

    def get(self):
        began = time.perf_counter()
        self.socket.sendall(self.commands)
        tail = b""
        while not tail.endswith(b"$4\r\ndone\r\n"):
            tail = tail[-16:] + self.socket.recv(1 << 20)
        return time.perf_counter() - began, b""


def series(page):
    return {line.rsplit(" ", 1)[0] for line in page.decode().splitlines() if line and line[0] != "#"}


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1e3


def beside(our_url, our_pid, their_url, their_pid, scrapes, rounds):
    sides = [("redrover", Scraper(our_url), int(our_pid)), ("redis_exporter", Scraper(their_url), int(their_pid))]
    seen = {name: {"times": [], "cpu": 0.0} for name, _, _ in sides}
    for _, scraper, _ in sides:
        for _ in range(20):
            scraper.get()
    redis = Redis(sides[0][1])
    alone = []
    each = int(scrapes) // int(rounds)
    for turn in range(int(rounds)):
        alone += [redis.get()[0] for _ in range(each)]
        for name, scraper, pid in sides if turn % 2 == 0 else sides[::-1]:
            before = cpu_seconds(pid)
            for _ in range(each):
                took, seen[name]["page"] = scraper.get()
                seen[name]["times"].append(took)
            seen[name]["cpu"] += cpu_seconds(pid) - before
    figures = {}
    for name, _, pid in sides:
        times, page = seen[name]["times"], seen[name]["page"]
        figures[name] = {
            "p50": percentile(times, 0.5), "p99": percentile(times, 0.99), "bytes": len(page),
            "cpu": seen[name]["cpu"] / len(times) * 1e3, "series": len(series(page)), "rss": rss_mib(pid),
        }
        print("  {:15}".format(name) + " p50 {p50:.2f} ms  p99 {p99:.2f} ms  cpu {cpu:.3f} ms  {bytes} bytes  "
              "{series} series  {rss:.1f} MiB".format(**figures[name]))
    floor = {"p50": percentile(alone, 0.5), "p99": percentile(alone, 0.99)}
    print("  Redis alone, asked what redrover asks: p50 {p50:.2f} ms  p99 {p99:.2f} ms".format(**floor))
    ours, theirs = figures["redrover"], figures["redis_exporter"]
    print("  ratio of what the exporters add to that  " + "  ".join(
        f"{key} {(ours[key] - floor[key]) / (theirs[key] - floor[key]):.3f}" for key in floor))
    ratio = {key: ours[key] / theirs[key] for key in ours}
    print("  ratio           " + "  ".join(f"{key} {value:.3f}" for key, value in ratio.items()))
    print("  ratio per series  " + "  ".join(f"{k} {ratio[k] / ratio['series']:.3f}" for k in ("p50", "p99", "cpu")))
    # What only the other program can tell, and what both write of themselves.
    own = ("redis_exporter_", "redis_target_scrape", "redis_last_key_groups", "go_", "process_", "promhttp_")
    text = "text/plain;version=0.0.4"
    pages = [set(map(normal, series(scraper.get(accept=text)[1]))) for _, scraper, _ in sides]
    missing = sorted(line for line in pages[1] - pages[0] if not line.startswith(own))
    print(f"  series of redis_exporter that redrover lacks: {len(missing)}")
    for line in missing[:20]:
        print(f"    {line}")


def normal(line):
    """A series with its labels in order."""
    name, brace, labels = line.partition("{")
    return name + brace + ",".join(sorted(labels.rstrip("}").split(',')))


def times(url, count):
    scraper = Scraper(url)
    scraper.get()
    took = [scraper.get()[0] for _ in range(int(count))]
    print(f"  {url.split('/')[2]}  p50 {percentile(took, 0.5):.1f} ms  max {max(took) * 1e3:.1f} ms")


def hung(hung_url, other_url):
    answers = {}

    def one(name, url):
        answers[name] = Scraper(url).get(timeout="2")

    threads = [threading.Thread(target=one, args=("hung", hung_url)) for _ in range(4)]
    for thread in threads:
        thread.start()
    other = max(Scraper(other_url).get(timeout="2")[0] for _ in range(20))
    for thread in threads:
        thread.join()
    took, page = answers["hung"]
    said = [line for line in page.decode().splitlines() if line.startswith(("redis_up", "redis_exporter_last_scrape_error"))]
    print(f"  hung {took * 1e3:.0f} ms: {said}; slowest of another Redis meanwhile {other * 1e3:.1f} ms")


def addresses(port):
    print(", ".join(f'"redis://{host(i)}:{port}"' for i in range(TARGETS)))


def host(i):
    return f"127.1.{i // 250}.{i % 250 + 1}"


def fleet(prefix, port, pid, seconds):
    pid, seconds, threads, interval = int(pid), float(seconds), 8, 5.0
    taken, lock, stop = [], threading.Lock(), threading.Event()

    def scrape(part):
        scraper = Scraper(prefix)
        mine = range(part, TARGETS, threads)
        began = time.monotonic()
        turn = 0
        while not stop.is_set():
            for place, i in enumerate(mine):
                wait = began + (turn + place / len(mine)) * interval - time.monotonic()
                if wait > 0 and stop.wait(wait):
                    return
                path = f"/scrape?target=redis://{host(i)}:{port}"
                took, page = scraper.get(path)
                if b"\nredis_up 1\n" not in page:
                    raise SystemExit(f"{path} is down")
                with lock:
                    taken.append(took)
            turn += 1

    workers = [threading.Thread(target=scrape, args=(part,), daemon=True) for part in range(threads)]
    for worker in workers:
        worker.start()
    time.sleep(2 * interval)
    with lock:
        taken.clear()
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    used, passed = cpu_seconds(pid) - before, time.monotonic() - began
    with lock:
        count, p99 = len(taken), percentile(taken, 0.99)
    print(f"  {count} scrapes in {passed:.0f} s  p99 {p99:.1f} ms  {used / passed:.3f} cores  {rss_mib(pid):.1f} MiB")
    stop.set()
    for worker in workers:
        worker.join()


def command(*words):
    parts = [f"*{len(words)}\r\n".encode()]
    parts += [f"${len(str(w))}\r\n{w}\r\n".encode() for w in words]
    return b"".join(parts)


def seed(address, port):
    """Keys in two databases, and calls of some fifty commands, so that INFO is that of a busy server."""
    calls = [("SET", f"session:{i}", "x" * 20, "EX", 3600) for i in range(20000)]
    calls += [("HSET", f"user:{i}", "name", i) for i in range(2000)]
    for words in (
        "GET session:1", "GET nothing", "MGET session:1 session:2", "INCR n", "DECR n", "APPEND s x", "STRLEN s",
        "SETRANGE s 1 y", "GETRANGE s 0 1", "LPUSH l 1 2 3", "RPUSH l 4", "LRANGE l 0 -1", "LLEN l", "LPOP l", "RPOP l",
        "SADD z 1 2 3", "SCARD z", "SMEMBERS z", "SISMEMBER z 1", "SREM z 1", "ZADD b 1 a 2 b", "ZRANGE b 0 -1", "ZCARD b",
        "ZSCORE b a", "ZINCRBY b 1 a", "HGET user:1 name", "HGETALL user:1", "HLEN user:1", "HINCRBY h n 1", "EXISTS s",
        "TYPE s", "TTL s", "EXPIRE s 1000", "PERSIST s", "RENAME s t", "DEL t", "SCAN 0", "DBSIZE", "XADD x * a 1",
        "XLEN x", "XRANGE x - +", "PFADD p 1", "PFCOUNT p", "PUBLISH c 1", "SETEX e 100 1", "GETSET e 2", "LPUSH session:1 1",
        "BITCOUNT n", "OBJECT ENCODING l", "TIME", "ECHO a", "PING",
    ):
        calls += [tuple(words.split())] * 3
    calls += [("SELECT", 1)] + [("SET", f"cfg:{i}", i) for i in range(300)] + [("SELECT", 0)]
    connection = socket.create_connection((address, int(port)))
    reader = threading.Thread(target=drain, args=(connection,))
    reader.start()
    connection.sendall(b"".join(command(*words) for words in calls))
    connection.sendall(command("QUIT"))
    reader.join()


def drain(connection):
    while connection.recv(1 << 16):
        pass


async def line(port, address, behind, delay):
    """Carries every byte so late, in both directions; nothing waits for what was sent before it."""

    async def carry(reader, writer):
        loop = asyncio.get_running_loop()
        while data := await reader.read(1 << 16):
            loop.call_later(float(delay), writer.write, data)
        loop.call_later(float(delay), writer.close)

    async def serve(reader, writer):
        back_reader, back_writer = await asyncio.open_connection(address, int(behind))
        await asyncio.gather(carry(reader, back_writer), carry(back_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", int(port))
    await server.serve_forever()


def replies_of(address, port):
    """What a real server answers to each command of a scrape."""
    known = {}

    def ask(*words):
        connection = socket.create_connection((address, int(port)))
        connection.sendall(command(*words))
        connection.settimeout(0.3)
        answer = b""
        try:
            while part := connection.recv(1 << 16):
                answer += part
        except TimeoutError:
            pass
        return answer

    def find(request):
        if request not in known:
            words = request.split(b"\r\n")[2::2]
            known[request] = ask(*(word.decode() for word in words))
        return known[request]

    return find


async def replay(port, address, behind):
    """Answers like the server behind it, from memory: a thousand servers in one process."""
    find = replies_of(address, behind)

    async def serve(reader, writer):
        pending = b""
        while data := await reader.read(1 << 16):
            pending += data
            out = []
            while (end := end_of(pending)) is not None:
                out.append(find(pending[:end]))
                pending = pending[end:]
            writer.write(b"".join(out))
        writer.close()

    server = await asyncio.start_server(serve, "0.0.0.0", int(port), backlog=2048)
    await server.serve_forever()


def end_of(data):
    """Where the first command ends; None while it is not whole."""
    head = data.find(b"\r\n")
    if head < 0:
        return None
    at = head + 2
    for _ in range(int(data[1:head])):
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return None
        at = line_end + 2 + int(data[at + 1:line_end]) + 2
    return at if at <= len(data) else None


if __name__ == "__main__":
    name, arguments = sys.argv[1], sys.argv[2:]
    done = {
        "beside": beside, "times": times, "hung": hung, "fleet": fleet, "seed": seed, "addresses": addresses,
        "line": line, "replay": replay,
    }[name](*arguments)
    if asyncio.iscoroutine(done):
        asyncio.run(done)
