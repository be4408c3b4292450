# SPDX-License-Identifier: MIT
"""A pod on this machine, from its manifest: each container has mounts and processes of its own, and is begun again when
it ends. What an engine also does (images, networks, cgroups) is left out: all containers have this machine's /usr, and
what is installed in PREFIX as /usr/local.

The program that uses this is root in a mount namespace of its own (sandbox.sh).
"""
import os
import subprocess
import threading
import time

import yaml

PREFIX = os.environ["PREFIX"]
PATIENCE = 120

# Its arguments: the root, the uid, the gid, and then the command.
ENTER = """
root=$1 user=$2 group=$3
shift 3
mount -t proc proc "$root/proc"
cd "$root"
mkdir -p old
pivot_root . old
umount -l /old
exec env -i PATH=/usr/local/bin:/usr/bin:/bin LD_LIBRARY_PATH=/usr/local/lib \
    setpriv --reuid "$user" --regid "$group" --clear-groups --bounding-set=-all --no-new-privs "$@"
"""


def run(*command):
    subprocess.run(command, check=True)


def mount(*arguments):
    run("mount", *arguments)


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


def bind(source, target, read_only):
    os.makedirs(target, exist_ok=True) if os.path.isdir(source) else open(target, "a").close()
    mount("--bind", source, target)
    if read_only:
        mount("-o", "remount,ro,bind", target)


class Container:
    """command, and mounts: [(source, path, read_only)]"""

    def __init__(self, pod, name, command, mounts):
        self.pod, self.name, self.command = pod, name, command
        self.root, self.log = f"{pod.folder}/{name}", f"{pod.folder}/{name}.log"
        self.starts, self.process = 0, None
        self._make_root(mounts)
        self._start()
        threading.Thread(target=self._keep, daemon=True).start()

    def _make_root(self, mounts):
        os.mkdir(self.root)
        mount("-t", "tmpfs", "-o", "mode=755", "none", self.root)
        for folder in ("usr", "bin", "sbin", "lib", "lib64"):
            if os.path.islink(f"/{folder}"):
                os.symlink(os.readlink(f"/{folder}"), f"{self.root}/{folder}")
            elif os.path.exists(f"/{folder}"):
                bind(f"/{folder}", f"{self.root}/{folder}", True)
        bind(PREFIX, f"{self.root}/usr/local", True)
        for folder in ("dev", "proc", "etc", "run", "var/lib"):
            os.makedirs(f"{self.root}/{folder}")
        mount("--rbind", "/dev", f"{self.root}/dev")
        for source, path, read_only in mounts:
            os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
            bind(source, self.root + path, read_only)

    def _start(self):
        namespaces = ["--mount", "--propagation", "private"]
        if self.pod.init is None:
            namespaces += ["--pid", "--fork", "--kill-child"]
        enter = [] if self.pod.init is None else ["nsenter", "--target", str(self.pod.init), "--pid"]
        self.starts += 1
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([*enter, "unshare", *namespaces, "sh", "-euc", ENTER, "enter", self.root, *self.pod.user, *self.command],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip

    def _keep(self):
        """Begins it again when it has ended, as restartPolicy: Always does."""
        while True:
            self.process.wait()
            time.sleep(0.2)
            self._start()

    def first_process(self):
        """The container's command, as this machine numbers it."""
        until(lambda: self._deepest() is not None, f"{self.name} has begun", self.log)
        return self._deepest()

    def _deepest(self):
        """The first of unshare's and nsenter's children that is the container's user; None: not yet."""
        pid = self.process.pid
        try:
            while f"\nUid:\t{self.pod.user[0]}\t" not in read(f"/proc/{pid}/status"):
                pid = int(read(f"/proc/{pid}/task/{pid}/children").split()[0])
        except (OSError, IndexError):
            return None
        return pid

    def execute(self, *command):
        """As `kubectl exec` does: (status, output)"""
        done = subprocess.run(["nsenter", "--target", str(self.first_process()), "--mount", "--pid", "--root", "--wd=/", "env",
                               "PATH=/usr/local/bin:/usr/bin:/bin", "LD_LIBRARY_PATH=/usr/local/lib", "setpriv", "--reuid", self.pod.user[0],
                               "--regid", self.pod.user[1], "--clear-groups", *command], capture_output=True, text=True)  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def kill(self):
        """And wait until it has begun again."""
        before = self.starts
        subprocess.run(["kill", "-KILL", str(self.first_process())], check=True)
        until(lambda: self.starts > before, f"{self.name} begins again")

    def says(self, text):
        """In a line that is written from now on."""
        length = len(read(self.log))
        until(lambda: text in read(self.log)[length:], f"{self.name} says {text}", self.log)


class Pod:
    """folder: an empty one, its own."""

    def __init__(self, folder, user, shares_processes=False):
        self.folder, self.user, self.containers, self.init = folder, [str(one) for one in user], {}, None
        if shares_processes:
            holder = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "sleep", "infinity"])
            children = f"/proc/{holder.pid}/task/{holder.pid}/children"
            until(lambda: read(children), "the pod's first process is there")
            self.init = int(read(children))

    def add(self, name, command, mounts):
        self.containers[name] = Container(self, name, command, mounts)


def until(condition, what, log=None):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"never: {what}\n" + (read(log)[-2000:] if log else ""))
        time.sleep(0.1)


def make_folder(path, owner=0, mode=0o755, tmpfs=False):
    os.makedirs(path)
    if tmpfs:
        mount("-t", "tmpfs", "none", path)
    os.chown(path, 0 if mode & 0o2000 else owner, owner)
    os.chmod(path, mode)
    return path


class ConfigMap:
    """As the kubelet writes one: the files are links through ..data, which goes over to another folder in one step."""

    def __init__(self, folder, data):
        self.folder, self.count = make_folder(folder), 0
        self.write(data)
        for key in data:
            os.symlink(f"..data/{key}", f"{folder}/{key}")

    def write(self, data):
        self.count += 1
        new = make_folder(f"{self.folder}/..{self.count}")
        for key, text in data.items():
            with open(f"{new}/{key}", "w") as file:
                file.write(text)
        os.symlink(f"..{self.count}", f"{self.folder}/..data_tmp")
        os.rename(f"{self.folder}/..data_tmp", f"{self.folder}/..data")


def from_kubernetes(manifest, folder):
    """(pod, {name: ConfigMap})"""
    with open(manifest) as file:
        documents = list(yaml.safe_load_all(file))
    data = {one["metadata"]["name"]: one["data"] for one in documents if one["kind"] == "ConfigMap"}
    spec = next(one["spec"] for one in documents if one["kind"] == "Pod")
    context, volumes, maps = spec["securityContext"], {}, {}
    for volume in spec["volumes"]:
        path = f"{folder}/volume-{volume['name']}"
        if "configMap" in volume:
            name = volume["configMap"]["name"]
            maps[name] = ConfigMap(path, data[name])
        else:
            group = context.get("fsGroup", 0)
            make_folder(path, group, 0o2777 if group else 0o777, volume["emptyDir"].get("medium") == "Memory")
        volumes[volume["name"]] = path
    pod = Pod(folder, (context["runAsUser"], context["runAsGroup"]), spec.get("shareProcessNamespace", False))
    for one in spec["containers"]:
        mounts = [(volumes[each["name"]], each["mountPath"], each.get("readOnly", False)) for each in one["volumeMounts"]]
        pod.add(one["name"], one["command"] + one.get("args", []), mounts)
    return pod, maps


def from_compose(manifest, folder):
    with open(manifest) as file:
        document = yaml.safe_load(file)
    pod, here = None, os.path.dirname(os.path.abspath(manifest))
    volumes = {name: make_folder(f"{folder}/volume-{name}", 4001, tmpfs=how is not None) for name, how in document["volumes"].items()}
    for name, service in document["services"].items():
        pod = pod or Pod(folder, service["user"].split(":"))
        mounts = []
        for text in service["volumes"]:
            source, path, *how = text.split(":")
            mounts.append((f"{here}/{source}" if source.startswith(".") else volumes[source], path, how == ["ro"]))
        pod.add(name, service["command"], mounts)
    return pod
