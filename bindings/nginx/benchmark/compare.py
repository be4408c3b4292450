#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a setting costs that is looked at in every request of nginx: from a share, and by other ways.

    make && python3 benchmark/compare.py [--quick]

A server of two workers for each way, on ports of 127.0.0.1, and wrk, which asks one after the other in turns, round
after round. A ratio is the median of the ratios within each round, so that a machine that is slower for a while is
slower for all. The servers start again after a few rounds, because their place in memory makes some percent of
difference. Needs nginx, wrk and the command seqshare; lua_shared_dict and Redis if libnginx-mod-http-lua and
redis-server are there. MODULE is where ngx_http_seqshare_module.so lies, if not where make puts it.
"""
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = os.environ.get("MODULE", os.path.join(HERE, "..", "build", "ngx_http_seqshare_module.so"))
LUA = "/usr/lib/nginx/modules/ngx_http_lua_module.so"
os.environ["PATH"] += ":/usr/sbin"
COUNT = 50  # variables, where one is too cheap to be seen

BASE = """
{load}
{user}
worker_processes 2;
pid {place}/{port}.pid;
error_log {place}/{port}.log warn;
events {{ }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port} reuseport;
        location / {{
            root {place}/htdocs;
            {location}
        }}
    }}
}}
"""
SHARED = """
lua_package_path "/usr/share/lua/5.1/?.lua;;";
lua_shared_dict settings 1m;
init_by_lua_block {{
    for i = 0, 49 do ngx.shared.settings:set("v" .. i, tostring(i * 1000)) end
}}
"""
REDIS = """set_by_lua_block $none {{ return "" }}
access_by_lua_block {{
    local redis = ngx.socket.tcp()
    assert(redis:connect("127.0.0.1", {redis}))
    assert(redis:send("GET v0\\r\\n"))
    assert(redis:receive())
    ngx.var.v0 = assert(redis:receive())
    redis:setkeepalive(60000, 10)
}}
"""


def constants(count):
    return {"location": "".join(f'add_header X-{i} "{i * 1000}";\n' for i in range(count))}


def headers(count):
    return "".join(f"add_header X-{i} $v{i};\n" for i in range(count))


def share(count, name="bench"):
    return {"load": "load_module {module};", "location": headers(count),
            "http": f"seqshare bench {{place}}/{name};\n" + "".join(f"seqshare_set $v{i} bench /values/{i} 0;\n" for i in range(count))}


def shared_dict(count):
    one = 'set_by_lua_block $v{i} {{{{ return ngx.shared.settings:get("v{i}") }}}}\n'
    return {"load": "load_module modules/ndk_http_module.so; load_module modules/ngx_http_lua_module.so;", "http": SHARED,
            "location": "".join(one.format(i=i) for i in range(count)) + headers(count)}


# Name, configuration, and the number of the way that it is compared with.
WAYS = [
    ("constants: 1", constants(1), 0),
    ("seqshare: 1 variable", share(1), 0),
    ("seqshare: 1, document changes all the time", share(1, "changing"), 0),
    ("constants: 10", constants(10), 3),
    ("seqshare: 10 variables", share(10), 3),
    (f"constants: {COUNT}", constants(COUNT), 5),
    (f"seqshare: {COUNT} variables", share(COUNT), 5),
]
if os.path.exists(LUA):
    WAYS += [("lua_shared_dict: 1", shared_dict(1), 0), ("lua_shared_dict: 10", shared_dict(10), 3)]


def wait_for(attempt, who):
    end = time.monotonic() + 60
    while True:
        try:
            return attempt()
        except OSError:
            if time.monotonic() > end:
                sys.exit(f"{who} does not answer")
            time.sleep(0.1)


def start_redis(place, port):
    server = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", place],
                              stdout=subprocess.DEVNULL)
    wait_for(lambda: socket.create_connection(("127.0.0.1", port)).close(), "redis-server")
    subprocess.run(["redis-cli", "-p", str(port), "set", "v0", "0"], check=True, stdout=subprocess.DEVNULL)
    way = dict(shared_dict(0), location=REDIS.replace("{redis}", str(port)).replace("$none", "$v0") + headers(1))
    WAYS.append(("Redis: 1, by Lua with a pool of connections", way, 0))
    return server


def start_server(place, port, way):
    file = os.path.join(place, f"{port}.conf")
    fields = {"load": "", "http": "", "location": "", "place": place, "port": port,
              "user": "user www-data;" if os.geteuid() == 0 else ""}
    parts = {part: text.format(place=place, module=os.path.abspath(MODULE)) for part, text in way.items()}
    with open(file, "w") as out:
        out.write(BASE.format(**{**fields, **parts}))
    return subprocess.Popen(["nginx", "-p", "/usr/share/nginx", "-c", file, "-e", f"{place}/{port}.log", "-g", "daemon off;"])


def processor_time(server):
    """Of the server's workers, in microseconds."""
    workers = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=True).stdout
    total = 0
    for worker in workers.split():
        with open(f"/proc/{worker}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1000


def ask(port, server, seconds):
    """Requests a second; median and 99th percentile of the latency, and processor time a request, in microseconds."""
    before = processor_time(server)
    said = subprocess.run(["wrk", "-t1", "-c8", f"-d{seconds}", "--latency", f"http://127.0.0.1:{port}/index.html"],
                          capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        sys.exit(f"port {port} does not answer well:\n{said}")
    unit = {"us": 1, "ms": 1000, "s": 1000000}
    found = {which: float(number) * unit[of] for which, number, of in re.findall(r"(50|99)% +([0-9.]+)(us|ms|s)", said)}
    requests = int(re.search(r"([0-9]+) requests in", said).group(1))
    rate = float(re.search(r"Requests/sec: +([0-9.]+)", said).group(1))
    return rate, found["50"], found["99"], (processor_time(server) - before) / requests


def is_free(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def free_ports(count):
    """Below those that the kernel gives to whoever wants any: nobody gets them before the servers do."""
    return [port for port in random.sample(range(15000, 32000), 20 + count) if is_free(port)][:count]


def stop(processes):
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()


def change(place, finished):
    """The same values, but other documents, about 300 times a second if the machine is quick enough."""
    texts = [document(extra) for extra in range(2)]
    turn = 0
    while not finished.wait(1 / 300):
        subprocess.run(["seqshare", "set", f"{place}/changing", "-"], input=texts[turn], text=True, check=True)
        turn = 1 - turn


def document(extra):
    values = ", ".join(f'"{i}": {i * 1000}' for i in range(COUNT))
    return f'{{"extra": {extra}, "values": {{{values}}}, "more": {list(range(500))}}}'


def measure(place, rounds, turn, results):
    ports = free_ports(len(WAYS))
    servers = [start_server(place, port, way) for port, (_, way, _) in zip(ports, WAYS)]
    try:
        for port in ports:
            wait_for(lambda port=port: urllib.request.urlopen(f"http://127.0.0.1:{port}/index.html").close(), port)
        for port, server in zip(ports, servers):
            ask(port, server, "1s")  # and workers are warm
        for one in range(turn * rounds, (turn + 1) * rounds):
            for step in range(len(WAYS)):
                way = (one + step) % len(WAYS)
                with_changes(place, WAYS[way][0], lambda way=way: results[way].append(ask(ports[way], servers[way], "1s")))
    finally:
        stop(servers)


def with_changes(place, name, do):
    finished = threading.Event()
    publisher = threading.Thread(target=change, args=(place, finished))
    if "changes" in name:
        publisher.start()
    try:
        do()
    finally:
        finished.set()
        if publisher.ident:
            publisher.join()


def ratio(results, way, column):
    base = WAYS[way][2]
    return statistics.median(one[column] / other[column] for one, other in zip(results[way], results[base]))


def show(results):
    print(f"{'':50} {'requests/s':>10} {'ratio':>6} {'99%, us':>8} {'ratio':>6} {'processor, us':>14} {'ratio':>6}")
    for way, (name, _, _) in enumerate(WAYS):
        rate, _, most, each = (statistics.median(column) for column in zip(*results[way]))
        print(f"{name:50} {rate:10.0f} {ratio(results, way, 0):6.3f} {most:8.0f} {ratio(results, way, 2):6.2f} {each:14.2f} "
              f"{ratio(results, way, 3):6.3f}")
    for name, few, many in (("constant", 3, 5), ("variable of seqshare", 4, 6)):
        each = statistics.median((more[3] - less[3]) * 1000 / (COUNT - 10) for more, less in zip(results[many], results[few]))
        print(f"a header with a {name}: {each:.0f} ns")


def main():
    starts, rounds = (1, 2) if "--quick" in sys.argv[1:] else (5, 4)
    redis = []
    with tempfile.TemporaryDirectory(prefix="seqshare-bench-", dir="/dev/shm") as place:
        os.chmod(place, 0o755)
        os.mkdir(f"{place}/htdocs")
        with open(f"{place}/htdocs/index.html", "w") as page:
            page.write("x" * 1000 + "\n")
        for name in ("bench", "changing"):
            subprocess.run(["seqshare", "create", f"{place}/{name}", "--size", "64K", "--mode", "644", "--from", "-"],
                           input=document(0), text=True, check=True)
        try:
            if shutil.which("redis-server") and os.path.exists(LUA):
                redis.append(start_redis(place, *free_ports(1)))
            results = [[] for _ in WAYS]
            for turn in range(starts):
                measure(place, rounds, turn, results)
        finally:
            stop(redis)
    show(results)


main()
