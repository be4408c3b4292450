#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""containers.py kubernetes|compose|publisher [engine]: the recipe of examples/containers, in namespaces, or by podman.

Shows: no promise, but examples/containers and docs/containers.md.
"""
import os
import sys

import engine
import pod

HERE = os.getcwd()  # a copy of examples/containers
from_kubernetes = (engine if "engine" in sys.argv else pod).from_kubernetes
DARK = '{"flags": {"dark": true}, "limits": {"rate": 50}}'
LIGHT = '{"flags": {"dark": false}, "limits": {"rate": 70}}'


def may_not_write(application):
    status, output = application.execute("seqshare", "set", "/run/shop/config", "{}", "--json", "--force")
    assert status == 1 and "read-only" in output.lower(), output


def namespace_of(container):
    return os.readlink(f"/proc/{container.first_process()}/ns/pid")


def feed_and_application(shop, publish):
    feed, application = shop.containers["feed"], shop.containers["application"]
    application.says("light, 100 a second")
    assert namespace_of(feed) != namespace_of(application)
    may_not_write(application)
    publish(DARK)
    application.says("dark, 50 a second")
    with open(f"/proc/{feed.first_process()}/ns/pid"):  # so that its number goes to no other
        feed.kill()  # it makes another region, and readers follow
        publish(LIGHT)
        application.says("light, 70 a second")
    application.kill()
    application.says("light, 70 a second")


def kubernetes():
    shop, maps = from_kubernetes(f"{HERE}/kubernetes.yaml", f"{HERE}/run")
    feed_and_application(shop, lambda text: maps["shop-flags"].write({"shop.json": text}))


def compose():
    def publish(text):  # as an editor writes
        with open(f"{HERE}/flags/new", "w") as file:
            file.write(text)
        os.rename(f"{HERE}/flags/new", f"{HERE}/flags/shop.json")

    feed_and_application(pod.from_compose(f"{HERE}/compose.yaml", f"{HERE}/run"), publish)


def publisher():
    shop, _ = from_kubernetes(f"{HERE}/publisher.yaml", f"{HERE}/run")
    container, application = shop.containers["publisher"], shop.containers["application"]
    application.says("light, 100 a second")
    assert namespace_of(container) == namespace_of(application)
    may_not_write(application)
    status, output = container.execute("seqshare", "set", "/run/shop/config", "/flags/dark", "true", "--json")
    assert status == 0, output
    application.says("dark, 100 a second")
    container.kill()
    status, output = container.execute("seqshare", "set", "/run/shop/config", "/limits/rate", "50", "--json")
    assert status == 0, output
    application.says("dark, 50 a second")


os.makedirs(f"{HERE}/run", exist_ok=True)
{"kubernetes": kubernetes, "compose": compose, "publisher": publisher}[sys.argv[1]]()
os._exit(0)  # the containers end with this machine
