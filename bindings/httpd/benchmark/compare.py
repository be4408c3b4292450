#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a setting costs that is looked at in every request of a prefork server: from a share, and by other ways.

    make && python3 benchmark/compare.py [--quick]

A server for each way, on ports of 127.0.0.1, and wrk, which asks one after the other in turns, round after round. A
ratio is the median of the ratios within each round, so that a machine that is slower for a while is slower for all.
The servers start again after a few rounds, because their place in memory makes some percent of difference.
Needs apache2, apxs and wrk (Debian: apache2-bin, apache2-dev, wrk); RewriteMap prg: asks Redis if redis-server is
there. MODULE is where mod_seqshare.so lies, if not where make puts it.
"""
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = os.environ.get("MODULE", os.path.join(HERE, "..", "mod_seqshare.so"))
os.environ["PATH"] += ":/usr/sbin"

BASE = """
ServerRoot {place}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {port}.pid
ErrorLog {port}.log
LogLevel {log}
Mutex file:{place}
{user}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule env_module {modules}/mod_env.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule rewrite_module {modules}/mod_rewrite.so
StartServers 6
MinSpareServers 6
MaxSpareServers 6
MaxRequestWorkers 6
KeepAlive on
MaxKeepAliveRequests 0
DocumentRoot htdocs
"""
SHARE = "LoadModule seqshare_module {module}\nSeqshareCreate bench 1M {place}/setting.json\n"
FLAG = 'Header set X-Dark on "expr={flag} == \'true\'"\n'
MAP = 'RewriteEngine on\nRewriteMap setting "{map}"\nRewriteCond "${{setting:flag}}" "=true"\nRewriteRule ^ - [E=FLAG:on]\n'


def variables(count):
    return "".join(f"SeqshareEnv V{i} /values/{i}\n" for i in range(count))


# Name, configuration; the first is what the others are compared with.
WAYS = [
    ("without", ""),
    ("mod_seqshare, and a share", SHARE),
    ("SeqshareEnv, 1 variable", SHARE + variables(1)),
    ("SeqshareEnv, 3 variables", SHARE + variables(3)),
    ("SeqshareEnv, 10 variables", SHARE + variables(10)),
    ("a header, if a constant", FLAG.replace("{flag}", "'true'")),
    ("a header, if %{{seqshare:/flag}}", SHARE + FLAG.replace("{flag}", "%{{seqshare:/flag}}")),
    ("a header, if %{{file:...}}", FLAG.replace("{flag}", "%{{file:{place}/flag}}")),
    ("RewriteMap txt:", MAP.replace("{map}", "txt:{place}/setting.txt")),
    ("RewriteCond %{{seqshare:/flag}}", SHARE + "RewriteEngine on\nRewriteCond expr \"%{{seqshare:/flag}} == 'true'\"\n"
     "RewriteRule ^ - [E=FLAG:on]\n"),
]
ASK = '''
import socket, sys
redis = socket.create_connection(("127.0.0.1", {port}))
for line in sys.stdin:
    redis.sendall(b"GET " + line.encode())
    answer = redis.recv(4096).split(b"\\r\\n")
    print(answer[1].decode() if len(answer) > 1 and answer[0] != b"$-1" else "NULL", flush=True)
'''


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
    subprocess.run(["redis-cli", "-p", str(port), "set", "flag", "true"], check=True, stdout=subprocess.DEVNULL)
    ask = os.path.join(place, "ask.py")
    with open(ask, "w") as file:
        file.write(ASK.replace("{port}", str(port)))
    WAYS.append(("RewriteMap prg:, which asks Redis", MAP.replace("{map}", f"prg:{sys.executable} {ask}")))
    return server


def write(place, name, text):
    with open(os.path.join(place, name), "w") as file:
        file.write(text)


def start_server(place, port, configuration):
    modules = subprocess.run(["apxs", "-q", "LIBEXECDIR"], capture_output=True, text=True, check=True).stdout.strip()
    file = os.path.join(place, f"{port}.conf")
    text = (BASE + configuration).format(
        place=place, port=port, modules=modules, module=os.path.abspath(MODULE), map="", log="warn",
        user="User www-data\nGroup www-data" if os.geteuid() == 0 else "")
    write(place, file, text)
    # In a session of its own: it ends its whole process group.
    return subprocess.Popen(["apache2", "-f", file, "-D", "FOREGROUND"], start_new_session=True)


def processor_time(server):
    """Of the server's children, in microseconds."""
    children = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=True).stdout
    total = 0
    for child in children.split():
        with open(f"/proc/{child}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1000


def ask(port, server, seconds):
    """Requests a second; median and 99th percentile of the latency, and processor time a request, in microseconds."""
    before = processor_time(server)
    said = subprocess.run(["wrk", "-t1", "-c4", f"-d{seconds}", "--latency", f"http://127.0.0.1:{port}/index.html"],
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
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait()


def measure(place, rounds, turn, results):
    ports = free_ports(len(WAYS))
    servers = [start_server(place, port, configuration) for port, (_, configuration) in zip(ports, WAYS)]
    try:
        for port in ports:
            wait_for(lambda port=port: urllib.request.urlopen(f"http://127.0.0.1:{port}/index.html").close(), port)
        for port, server in zip(ports, servers):
            ask(port, server, "1s")  # and children are warm
        for one in range(turn * rounds, (turn + 1) * rounds):
            for step in range(len(WAYS)):
                way = (one + step) % len(WAYS)
                results[way].append(ask(ports[way], servers[way], "1s"))
    finally:
        stop(servers)


def show(results):
    print(f"{'':36} {'requests/s':>10} {'ratio':>6} {'50%, us':>8} {'99%, us':>8} {'processor, us':>14} {'ratio':>6}")
    for (name, _), got in zip(WAYS, results):
        faster = statistics.median(one[0] / base[0] for one, base in zip(got, results[0]))
        dearer = statistics.median(one[3] / base[3] for one, base in zip(got, results[0]))
        rate, half, most, time_each = (statistics.median(column) for column in zip(*got))
        name = name.replace("{{", "{").replace("}}", "}")
        print(f"{name:36} {rate:10.0f} {faster:6.3f} {half:8.0f} {most:8.0f} {time_each:14.2f} {dearer:6.3f}")


def main():
    starts, rounds = (1, 2) if "--quick" in sys.argv[1:] else (7, 3)
    redis = []
    with tempfile.TemporaryDirectory(prefix="seqshare-bench-", dir="/tmp") as place:
        os.chmod(place, 0o755)
        os.mkdir(os.path.join(place, "htdocs"))
        write(place, "htdocs/index.html", "x" * 1000 + "\n")
        write(place, "flag", "true")
        write(place, "setting.txt", "flag true\n")
        values = ", ".join(f'"{i}": {i * 1000}' for i in range(10))
        write(place, "setting.json", f'{{"flag": true, "values": {{{values}}}, "more": {list(range(500))}}}')
        try:
            if shutil.which("redis-server"):
                redis.append(start_redis(place, *free_ports(1)))
            results = [[] for _ in WAYS]
            for turn in range(starts):
                measure(place, rounds, turn, results)
        finally:
            stop(redis)
    show(results)


main()
