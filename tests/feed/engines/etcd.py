# SPDX-License-Identifier: MIT
"""The source etcd with real etcd servers: one function for each thing that must hold. Called with its name."""
import os
import re
import subprocess

from kit import Failure, Member, Process, Skip, Source, cluster, free_port, main, until


def url(*members, key="/shop/", scheme="etcd"):
    return f"{scheme}://" + ",".join(f"{m.host}:{m.port}" for m in members) + key


def changes(path):
    """a list, then puts, a removal and a transaction arrive, each revision whole"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    etcd.put("/other", "1")
    source = Source(path, url(etcd))
    source.expect(r"has a=1 \(1\)")
    etcd.put("/shop/b", "2")
    source.expect(r"has a=1 b=2 \(2\)")
    etcd.txn("put /shop/a 3", "put /shop/c 4", "del /shop/b")
    source.expect(r"changed \d+ 3")
    source.expect(r"has a=3 c=4 \(2\)")
    etcd.put("/shop/a", "")
    source.expect(r"has a= c=4 \(2\)")
    source.never("away|lost|refused")
    if source.counts()["connects"] != 1:
        raise Failure("more than one connection")


def between(path):
    """a change between list and watch is not lost"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    hold = os.path.join(path, "hold")
    open(hold, "w", encoding="utf-8").close()
    source = Source(path, url(etcd), hold=hold)
    source.expect(r"has a=1 \(1\)")
    etcd.put("/shop/a", "2")
    etcd.put("/shop/b", "2")
    os.unlink(hold)
    source.expect(r"has a=2 b=2 \(2\)")
    source.never("away|lost")


def burst(path):
    """two changes within a millisecond: the last one arrives"""
    (etcd,) = cluster(path)
    source = Source(path, url(etcd))
    source.expect("listed")
    for n in range(20):
        pair = [subprocess.Popen(["etcdctl", "--endpoints", f"127.0.0.1:{etcd.port}", "put", "/shop/a", f"{n}{which}"],
                                 stdout=subprocess.DEVNULL, env={**os.environ, "ETCDCTL_API": "3"}) for which in "xy"]
        for one in pair:
            one.wait()
    last = etcd.ctl("get", "/shop/a", "--print-value-only").stdout.strip()
    source.expect(rf"has a={last} \(1\)")
    source.never("away|lost")


def large(path):
    """12 keys of 1.2 MB in one transaction arrive as one revision; several of them at once, in fragments, too"""
    (etcd,) = cluster(path)
    etcd.put("/shop/first", "1")
    source = Source(path, url(etcd), max_size="2M")
    source.expect("listed")
    etcd.txn(*(f"put /shop/k{n:02d} {'x' * 100000}" for n in range(12)))
    source.expect(r"changed \d+ 12")
    source.expect(r"k11:100000 \(13\)")
    source.never("away|lost|refused")
    # An answer with more than one of them is cut in the middle of a revision. If the stream is slow, the probe comes
    # first, and the source lists, which is right as well: then once more.
    for _ in range(5):
        etcd.kill()
        source.expect("away")
        etcd.port, port = free_port(), etcd.port
        etcd.start()
        for letter in "ab":
            etcd.txn(*(f"put /shop/k{n:02d} {letter * 100000}" for n in range(12)))
        newest = etcd.revision()
        etcd.kill()
        etcd.port = port
        etcd.start()
        if source.expect(rf"(changed|listed) {newest} ")[1] == "changed":
            break
    else:
        print("this machine was too slow for fragments: the source listed five times", flush=True)
    for line in source.lines:
        found = re.search(r"changed \d+ (\d+)", line)
        if found and int(found[1]) % 12 != 0:
            raise Failure(f"half of a revision: {line}")
    source.never("refused")
    etcd.ctl("compact", str(etcd.revision()))
    # What a newcomer lists is the same.
    other = Source(os.path.join(path, "m0"), url(etcd), max_size="2M")
    other.expect(r"k11:100000 \(13\)")


def too_much(path):
    """a store with more than may be gathered is refused, in bounded memory; less again is taken"""
    (etcd,) = cluster(path)
    for n in range(8):
        etcd.txn(f"put /shop/k{n} {'x' * 1000000}")
    source = Source(path, url(etcd), max_size="1k")
    source.expect(r"refused \d+ .*larger than the|refused \d+ .*more than the")
    source.expect("away")
    etcd.ctl("del", "--prefix", "/shop/k")
    source.expect(r"has \(0\)")
    # Changes that come at once, while it was away, are more than may be gathered; what stands then is not.
    etcd.kill()
    source.expect("away")
    etcd.port, port = free_port(), etcd.port
    etcd.start()
    for n in range(8):
        etcd.txn(f"put /shop/k {n}{'x' * 1000000}")
    etcd.put("/shop/k", "small")
    etcd.kill()
    etcd.port = port
    etcd.start()
    source.expect("lost 0 more changes at once")
    source.expect(r"has k=small \(1\)")


def life(path):
    """signs of life are answered, at the latest when the store has gone on; a heartbeat moves our revision nowhere"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd))
    source.expect("proven")
    etcd.put("/other", "1")
    source.expect("proven 0")
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    source.never("away|lost")


def late(path):
    """the source is down at start: it is waited for, and not hammered"""
    etcd = Member(path, 0)
    etcd.cluster = f"m0=http://127.0.0.1:{etcd.peer}"
    source = Source(path, url(etcd))
    source.expect("away")
    source.expect("away")
    etcd.start()
    etcd.put("/shop/a", "1")
    source.expect(r"has a=1 \(1\)")


def restart(path):
    """etcd is killed and comes back: it is resumed, without a list, and nothing is lost"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd))
    source.expect(r"has a=1 \(1\)")
    etcd.kill()
    source.expect("away")
    etcd.start()
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    if source.count("listed") != 1 or source.count("lost"):
        raise Failure("it listed again")


def elsewhere(etcd, *steps):
    """Steps that an agent which knows etcd's usual port does not see until they are done."""
    etcd.kill()
    port, etcd.port = etcd.port, free_port()
    etcd.start()
    for step in steps:
        step()
    etcd.kill()
    etcd.port = port
    etcd.start()


def compacted(path):
    """compacted beyond us while we were away, with changes: one list, nothing lost"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd))
    source.expect(r"has a=1 \(1\)")
    elsewhere(etcd, lambda: etcd.put("/shop/a", "2"), lambda: etcd.put("/shop/b", "2"), lambda: etcd.put("/other", "1"),
              lambda: etcd.ctl("compact", str(etcd.revision())))
    source.expect("lost 0 compacted")
    source.expect(r"has a=2 b=2 \(2\)")
    etcd.put("/shop/a", "3")
    source.expect(r"has a=3 b=2 \(2\)")
    if "back" in " ".join(source.lines):
        raise Failure("it was taken for a store that went back")


def idle(path):
    """compacted beyond us while nothing of ours changed: no list at all"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd))
    source.expect(r"has a=1 \(1\)")
    elsewhere(etcd, *[lambda: etcd.put("/other", "1")] * 5, lambda: etcd.ctl("compact", str(etcd.revision())))
    source.expect(rf"proven {etcd.revision()} ")
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    if source.count("listed") != 1 or source.count("lost"):
        raise Failure("it listed again")


def removed(path):
    """keys removed while we were away are gone afterwards, and the store is not taken for another"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    etcd.put("/shop/b", "1")
    source = Source(path, url(etcd))
    source.expect(r"has a=1 b=1 \(2\)")
    elsewhere(etcd, lambda: etcd.ctl("del", "/shop/b"))
    source.expect(r"has a=1 \(1\)")
    elsewhere(etcd, lambda: etcd.ctl("del", "/shop/a"), lambda: etcd.ctl("compact", str(etcd.revision())))
    source.expect(r"has \(0\)")
    if "back" in " ".join(source.lines):
        raise Failure("it was taken for a store that went back")


def stopped(path):
    """a stopped member is left, for it gives no sign of life; when it goes on, so do we"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd))
    source.expect("proven")
    etcd.process.freeze()
    source.expect("away .*(no sign of life|linearizable read)")
    etcd.process.thaw()
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    if source.count("listed") != 1:
        raise Failure("it listed again")


def member_killed(path):
    """our member of three is killed: another one serves us"""
    members = cluster(path, 3)
    members[0].put("/shop/a", "1")
    source = Source(path, url(*members))
    source.expect(r"has a=1 \(1\)")
    ours = our_member(source, members)
    ours.kill()
    source.expect("away")
    others = [m for m in members if m is not ours]
    until("a leader again", lambda: others[0].ctl("put", "/shop/a", "2", check=False).returncode == 0)
    source.expect(r"has a=2 \(1\)")
    if source.count("listed") != 1:
        raise Failure("it listed again")


def our_member(source, members):
    """The member that the source is connected to, by the ports of its process."""

    def look():
        listing = subprocess.run(["ss", "-Htnp", "state", "established"], capture_output=True, text=True, check=False).stdout
        for line in listing.splitlines():
            if f"pid={source.process.child.pid}," in line:
                for one in members:
                    if f":{one.port} " in line:
                        return one
        return None

    return until("a connection", look)


def no_quorum(path):
    """our member has lost the others: its stream is left, though it still answers"""
    members = cluster(path, 3)
    members[0].put("/shop/a", "1")
    source = Source(path, url(members[0]))
    source.expect("proven")
    for one in members[1:]:
        one.process.freeze()
    source.expect("away .*(no leader|linearizable read|unavailable|sign of life)")
    source.expect("away")
    for one in members[1:]:
        one.process.thaw()
    until("a leader again", lambda: members[0].ctl("put", "/shop/a", "2", check=False).returncode == 0)
    source.expect(r"has a=2 \(1\)")
    if source.count("listed") != 1 or "back" in " ".join(source.lines):
        raise Failure("it listed again, or took the store for another")


def lagging(path):
    """after a fail-over to a member that lags behind, its store is not taken for one that went back"""
    members = cluster(path, 3)
    ahead, other, behind = members
    ahead.put("/shop/a", "1")
    source = Source(path, url(ahead, behind))
    source.expect(r"has a=1 \(1\)")
    if our_member(source, members) is behind:
        ahead, behind = behind, ahead
    behind.process.freeze()
    until("a leader", lambda: ahead.ctl("put", "/shop/a", "2", check=False).returncode == 0)
    for n in range(20):
        ahead.put("/shop/b", str(n))
    source.expect(r"has a=2 b=19 \(2\)")
    ahead.process.freeze()
    behind.process.thaw()
    source.expect("away")
    until("a leader", lambda: other.ctl("put", "/shop/a", "3", check=False).returncode == 0)
    source.expect(r"has a=3 b=19 \(2\)")
    if source.count("listed") != 1 or "back" in " ".join(source.lines):
        raise Failure("it listed again, or took the store for another")


def restore(etcd, snapshot, *steps):
    """The store as it was in the snapshot, and then steps that the agent does not see."""
    etcd.kill()
    subprocess.run(["rm", "-rf", etcd.data], check=True)
    peer = f"http://{etcd.host}:{etcd.peer}"
    subprocess.run(["etcdctl", "snapshot", "restore", snapshot, "--data-dir", etcd.data, "--name", etcd.name,
                    "--initial-cluster", f"{etcd.name}={peer}", "--initial-advertise-peer-urls", peer], check=True,
                   capture_output=True, env={**os.environ, "ETCDCTL_API": "3"})
    elsewhere(etcd, *steps)


def went_back(path):
    """restored to an earlier state: said, by a revision below ours"""
    (etcd,) = cluster(path)
    snapshot = os.path.join(path, "snapshot")
    etcd.put("/shop/a", "1")
    etcd.ctl("snapshot", "save", snapshot)
    etcd.put("/shop/a", "2")
    etcd.put("/shop/a", "3")
    source = Source(path, url(etcd))
    source.expect(r"has a=3 \(1\)")
    restore(etcd, snapshot)
    source.expect(r"lost 0 the store is at revision \d+, and was at \d+")
    source.expect(r"listed \d+ term \d+ back")
    source.expect(r"has a=1 \(1\)")
    etcd.put("/shop/a", "4")
    source.expect(r"has a=4 \(1\)")


def written_past(path):
    """restored, and written past us while we were away: said, by a key with another past"""
    (etcd,) = cluster(path)
    snapshot = os.path.join(path, "snapshot")
    etcd.put("/shop/a", "1")
    etcd.put("/shop/b", "1")
    etcd.ctl("snapshot", "save", snapshot)
    etcd.put("/shop/b", "2")
    source = Source(path, url(etcd))
    source.expect(r"has a=1 b=2 \(2\)")
    restore(etcd, snapshot, *[lambda: etcd.put("/other", "1")] * 6, lambda: etcd.put("/shop/a", "9"))
    source.expect(r"lost 0 a key changed in a past that is not ours: .*b")
    source.expect(r"listed \d+ term \d+ back")
    source.expect(r"has a=9 b=1 \(2\)")


def written_past_gone(path):
    """the same, where all that shows it is a key that is gone and that nobody removed"""
    (etcd,) = cluster(path)
    snapshot = os.path.join(path, "snapshot")
    etcd.put("/shop/a", "1")
    etcd.ctl("snapshot", "save", snapshot)
    etcd.put("/shop/b", "2")
    source = Source(path, url(etcd))
    source.expect(r"has a=1 b=2 \(2\)")
    restore(etcd, snapshot, *[lambda: etcd.put("/other", "1")] * 6)
    source.expect(r"lost 0 .*the history of this store is not ours")
    source.expect(r"listed \d+ term \d+ back \(by the source\)")
    source.expect(r"has a=1 \(1\)")


def emptied(path):
    """a store that is emptied says so, key by key"""
    (etcd,) = cluster(path)
    etcd.txn("put /shop/a 1", "put /shop/b 1")
    source = Source(path, url(etcd))
    source.expect(r"has a=1 b=1 \(2\)")
    etcd.ctl("del", "--prefix", "/shop/")
    source.expect(r"changed \d+ 2")
    source.expect(r"has \(0\)")


# ---- users ----


def enable_users(etcd):
    for line in ("user add root:secret-of-root", "role add shop", "role grant-permission shop --prefix=true readwrite /shop/",
                 "user add agent:secret-of-agent", "user grant-role agent shop", "user grant-role root root",
                 "auth enable"):
        etcd.ctl(*line.split())
    etcd.client = ["--user", "root:secret-of-root"]


def with_users(path, *more):
    (etcd,) = cluster(path, more=more)
    enable_users(etcd)
    return etcd


def secret(path, text):
    name = os.path.join(path, "secret")
    with open(name, "w", encoding="utf-8") as out:
        out.write(text + "\n")
    os.chmod(name, 0o600)
    return name


def no_secret_in(path, *secrets):
    for name in ("source.out", "source.err"):
        with open(os.path.join(path, name), encoding="utf-8") as file:
            text = file.read()
        for one in secrets:
            if one in text:
                raise Failure(f"{one} is in {name}")


def token_expired(path):
    """a token that has expired: one login, and on it goes"""
    etcd = with_users(path, "--auth-token-ttl", "1")
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd), user="agent", password_file=secret(path, "secret-of-agent"))
    source.expect(r"has a=1 \(1\)")
    etcd.process.freeze()
    source.expect("away")
    etcd.process.thaw()
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    if source.count("listed") != 1 or source.counts()["logins"] > 3:
        raise Failure("it listed again, or logged in too often")
    no_secret_in(path, "secret-of-agent", "token: ")


def role_revoked(path):
    """a role that is revoked: said, not hammered; given back: it goes on"""
    etcd = with_users(path)
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd), user="agent", password_file=secret(path, "secret-of-agent"))
    source.expect(r"has a=1 \(1\)")
    etcd.ctl("user", "revoke-role", "agent", "shop")
    etcd.kill()
    etcd.start()
    source.expect("away .*permission denied")
    etcd.ctl("user", "grant-role", "agent", "shop")
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    if source.count("listed") != 1:
        raise Failure("it listed again")


def wrong_password(path):
    """a wrong password: said, tried once a minute at most, and in no line"""
    etcd = with_users(path)
    source = Source(path, url(etcd), user="agent", password_file=secret(path, "wrong-secret"))
    wait = source.expect(r"away (\d+) .*login as agent: etcdserver: authentication failed")
    if int(wait[1]) < 30000:
        raise Failure(f"it would try again after {wait[1]} ms")
    if source.counts()["logins"] != 1:
        raise Failure("more than one login")
    no_secret_in(path, "wrong-secret")


def no_users(path):
    """a user is configured, and the store has none: it goes on without; when it has users, it logs in once"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd), user="agent", password_file=secret(path, "secret-of-agent"))
    source.expect(r"has a=1 \(1\)")
    enable_users(etcd)
    etcd.kill()
    etcd.start()
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    if source.counts()["logins"] != 1:
        raise Failure("not one login")


def calls(path):
    """every call of a new connection is answered: log in, list, watch, twenty times"""
    etcd = with_users(path)
    etcd.put("/shop/a", "1")
    for n in range(20):
        os.mkdir(f"{path}/{n}")
        source = Source(f"{path}/{n}", url(etcd), user="agent", password_file=secret(path, "secret-of-agent"))
        source.expect("contact")
        source.never("away")
        source.process.kill()


# ---- TLS ----


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def authority(path, name):
    """A CA of the test's own."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout",
            f"{path}/{name}.key", "-out", f"{path}/{name}.crt")


def certificate(path, ca, name, subject, names):
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={subject}", "-keyout", f"{path}/{name}.key", "-out",
            f"{path}/{name}.csr")
    with open(f"{path}/{name}.ext", "w", encoding="utf-8") as out:
        out.write(f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\n")
    openssl("x509", "-req", "-in", f"{path}/{name}.csr", "-CA", f"{path}/{ca}.crt", "-CAkey", f"{path}/{ca}.key",
            "-CAcreateserial", "-days", "2", "-extfile", f"{path}/{name}.ext", "-out", f"{path}/{name}.crt")
    os.chmod(f"{path}/{name}.key", 0o600)


def with_tls(path):
    for name in ("ca", "strangers"):
        authority(path, name)
    certificate(path, "ca", "server", "etcd", "IP:127.0.0.1")
    certificate(path, "ca", "agent", "agent", "DNS:agent")
    certificate(path, "ca", "root", "root", "DNS:root")
    certificate(path, "strangers", "stranger", "agent", "DNS:agent")
    (etcd,) = cluster(path, scheme="https", client=["--cacert", f"{path}/ca.crt", "--cert", f"{path}/root.crt", "--key",
                                                    f"{path}/root.key"],
                      more=["--cert-file", f"{path}/server.crt", "--key-file", f"{path}/server.key", "--client-cert-auth",
                            "--trusted-ca-file", f"{path}/ca.crt"])
    return etcd


def tls(path):
    """TLS with a client's certificate, whose name is the user of etcd"""
    etcd = with_tls(path)
    for line in ("user add root --no-password", "user grant-role root root", "role add shop",
                 "role grant-permission shop --prefix=true read /shop/", "user add agent --no-password",
                 "user grant-role agent shop", "auth enable"):
        etcd.ctl(*line.split())
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd, scheme="etcds"), tls_ca=f"{path}/ca.crt", tls_cert=f"{path}/agent.crt",
                    tls_key=f"{path}/agent.key")
    source.expect(r"has a=1 \(1\)")
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    source.never("away|lost")
    # Another key than the user may read.
    os.mkdir(f"{path}/x")
    other = Source(f"{path}/x", url(etcd, scheme="etcds", key="/other/"), tls_ca=f"{path}/ca.crt",
                   tls_cert=f"{path}/agent.crt", tls_key=f"{path}/agent.key")
    other.expect("away .*permission denied")


def wrong_certificate(path):
    """a certificate of somebody else, ours or the server's, or a key that others may read: said, and nothing is taken"""
    etcd = with_tls(path)
    etcd.put("/shop/a", "1")
    for name, ca, cert, host in (("ca", "strangers", "agent", "127.0.0.1"), ("client", "ca", "stranger", "127.0.0.1"),
                                 ("name", "ca", "agent", "localhost")):
        os.mkdir(f"{path}/{name}")
        source = Source(f"{path}/{name}", f"etcds://{host}:{etcd.port}/shop/", tls_ca=f"{path}/{ca}.crt",
                        tls_cert=f"{path}/{cert}.crt", tls_key=f"{path}/{cert}.key")
        source.expect("away .*(SSL|TLS|certificate|subject name)")
        source.never("listed")
        source.process.kill()
    # A key that others may read is not used.
    os.mkdir(f"{path}/open")
    os.chmod(f"{path}/agent.key", 0o644)
    source = Source(f"{path}/open", url(etcd, scheme="etcds"), tls_ca=f"{path}/ca.crt", tls_cert=f"{path}/agent.crt",
                    tls_key=f"{path}/agent.key")
    source.expect("away .*agent.key: others may read")
    os.chmod(f"{path}/agent.key", 0o600)
    source.expect(r"has a=1 \(1\)")


# ---- between us and etcd ----


def proxy(path):
    """through etcd grpc-proxy: changes come; it answers no sign of life, so probes stand in, and find a stopped etcd"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    port = free_port()
    through = Process(["etcd", "grpc-proxy", "start", "--endpoints", f"127.0.0.1:{etcd.port}", "--listen-addr",
                       f"127.0.0.1:{port}", "--data-dir", os.path.join(path, "proxy")], os.path.join(path, "proxy.log"))
    source = Source(path, f"etcd://127.0.0.1:{port}/shop/")
    source.expect(r"has a=1 \(1\)")
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    source.expect(r"proven [1-9]")
    source.expect(r"proven [1-9]")
    etcd.put("/shop/a", "3")
    source.expect(r"has a=3 \(1\)")
    source.never("lost")
    etcd.process.freeze()
    source.expect("away .*linearizable read")
    etcd.process.thaw()
    etcd.put("/shop/a", "4")
    source.expect(r"has a=4 \(1\)")
    through.kill()
    source.expect("away")
    if source.count("listed") != 1:
        raise Failure("it listed again")


def own_network(path):
    """True: this is a network of the test's own (see run.sh); else Skip."""
    if os.environ.get("FEED_NETWORK") != "own":
        raise Skip(os.environ.get("FEED_NETWORK", "no network of its own"))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return path


def dropped(path):
    """every packet is dropped, and nobody says so: the stream is left; when they pass again, it goes on"""
    own_network(path)
    holder = Process(["unshare", "-n", "sleep", "1000"], os.path.join(path, "holder.log"))
    enter = ["nsenter", "-t", str(holder.child.pid), "-n"]
    here = os.stat("/proc/self/ns/net").st_ino
    until("a second network", lambda: os.stat(f"/proc/{holder.child.pid}/ns/net").st_ino != here)
    for line in ("ip link add near type veth peer name far", f"ip link set far netns {holder.child.pid}",
                 "ip addr add 10.99.0.1/24 dev near", "ip link set near up"):
        if subprocess.run(line.split(), capture_output=True, check=False).returncode != 0:
            raise Skip(f"this kernel does not let us: {line}")
    for line in ("ip addr add 10.99.0.2/24 dev far", "ip link set far up", "ip link set lo up"):
        subprocess.run([*enter, *line.split()], check=True)
    (etcd,) = cluster(path, host="10.99.0.1")
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd), command=enter)
    source.expect("proven")
    subprocess.run("ip neigh replace 10.99.0.2 lladdr 02:00:00:00:00:99 dev near nud permanent".split(), check=True)
    source.expect("away .*(sign of life|linearizable read)")
    source.expect("away")
    link = subprocess.run([*enter, "ip", "-o", "link", "show", "far"], capture_output=True, text=True, check=True).stdout
    address = re.search(r"link/ether (\S+)", link)[1]
    subprocess.run(f"ip neigh replace 10.99.0.2 lladdr {address} dev near nud permanent".split(), check=True)
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    if source.count("listed") != 1:
        raise Failure("it listed again")


def silent_names(path):
    """a name server that says nothing: other members serve meanwhile, and a name's last addresses are used"""
    own_network(path)
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:3\n"),
                       ("nsswitch.conf", "hosts: dns\n")):
        with open(f"{path}/{name}", "w", encoding="utf-8") as out:
            out.write(text)
        if subprocess.run(["mount", "--bind", f"{path}/{name}", f"/etc/{name}"], capture_output=True, check=False).returncode != 0:
            raise Skip("this kernel does not let us mount")
    silent = os.path.join(path, "silent")
    Process(["python3", os.path.join(os.path.dirname(__file__), "names.py"), silent], os.path.join(path, "names.log"))
    source = Source(path, f"etcd://etcd.test:{etcd.port}/shop/")
    source.expect(r"has a=1 \(1\)")
    open(silent, "w", encoding="utf-8").close()
    etcd.kill()
    source.expect("away")
    etcd.start()
    etcd.put("/shop/a", "2")
    source.expect(r"has a=2 \(1\)")
    # A name that was never known: another member is taken while the question is still on its way.
    os.mkdir(f"{path}/two")
    other = Source(f"{path}/two", f"etcd://unknown.test:{etcd.port},unheard.test:{etcd.port}/shop/")
    other.expect("away .*no address for this name: no name server answers")
    other.expect("away .*no address for this name: no name server answers")
    os.mkdir(f"{path}/three")
    third = Source(f"{path}/three", f"etcd://unknown.test:{etcd.port},127.0.0.1:{etcd.port}/shop/")
    third.expect(r"has a=2 \(1\)")
    third.counts()


# Those that wait longest come first.
SCENARIOS = [token_expired, proxy, no_quorum, lagging, too_much, dropped, stopped, silent_names, life, changes, between, burst,
             large, late, restart, compacted, idle, removed, member_killed, went_back, written_past, written_past_gone,
             emptied, role_revoked, wrong_password, no_users, calls, tls, wrong_certificate]

if __name__ == "__main__":
    main({one.__name__: one for one in SCENARIOS})
