# SPDX-License-Identifier: MIT
"""The same as pod.py by a real engine, podman: PODMAN is its command line, without what to do. Its volumes lie on a
tmpfs (engine.sh), because this podman does not know emptyDirs of medium Memory.
"""
import os
import shlex
import subprocess

import pod


def podman(*arguments, check=True):
    return subprocess.run([*shlex.split(os.environ["PODMAN"]), *arguments], check=check, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip


class Container:
    def __init__(self, name):
        self.name = name

    def first_process(self):
        return int(podman("inspect", "--format", "{{.State.Pid}}", self.name).stdout)

    def execute(self, *command):
        """(status, output)"""
        done = podman("exec", self.name, *command, check=False)
        return done.returncode, done.stdout

    def kill(self):
        """And begin it again: podman does that by itself only if nobody ended it by hand."""
        podman("kill", "--signal", "KILL", self.name)
        podman("start", self.name)

    def says(self, text):
        length = len(self._log())
        pod.until(lambda: text in self._log()[length:], f"{self.name} says {text}")

    def _log(self):
        return podman("logs", self.name, check=False).stdout


class Pod:
    def __init__(self, names):
        self.containers = {name: Container(f"shop-{name}") for name in names}


class ConfigMap:
    def __init__(self, volume):
        self.folder = podman("volume", "inspect", "--format", "{{.Mountpoint}}", volume).stdout.strip()

    def write(self, data):
        for key, text in data.items():
            with open(f"{self.folder}/new", "w") as file:
                file.write(text)
            os.rename(f"{self.folder}/new", f"{self.folder}/{key}")


def from_kubernetes(manifest, _folder):
    """(pod, {name: ConfigMap}), as pod.py has it"""
    podman("play", "kube", "--network", "none", manifest)
    is_fed = "kubernetes.yaml" in manifest
    return Pod(["feed" if is_fed else "publisher", "application"]), {"shop-flags": ConfigMap("shop-flags")} if is_fed else {}
