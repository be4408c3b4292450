#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the arm64 code have the barriers that the protocol asks for, on every path?

usage: barriers.py OBJDUMP FOLDER     (FOLDER has read.o, write.o, lock.o, wake.o, exports.o and typed.o)

The emulator cannot tell: it runs on the host's stronger memory. So the instructions are read, and followed along
every branch: what protocol.h calls R1 is ldar or ldapr, R2 dmb ishld, W1 and W3 stlr, W2 dmb ish.
"""
import re
import subprocess
import sys

BRANCH = re.compile(r"^(b\.\w+|cbn?z|tbn?z)$")
ADDRESS = re.compile(r"\b([0-9a-f]+) <")


class Instruction:
    def __init__(self, address, name, operands):
        self.address, self.name, self.operands = address, name, operands
        self.calls = ""  # the function that a bl goes to, from its relocation

    def __str__(self):
        return f"{self.address:x}: {self.name} {self.operands}"


def read_functions(objdump, path):
    """All functions of an object: name -> instructions."""
    text = subprocess.run([objdump, "-dr", "--no-show-raw-insn", path], check=True, capture_output=True, text=True)
    functions, current = {}, None
    for line in text.stdout.splitlines():
        if head := re.match(r"^[0-9a-f]+ <(.+)>:$", line):
            current = functions[head[1]] = []
        elif relocation := re.search(r"R_AARCH64_(?:CALL|JUMP)26\s+(\S+)", line):
            current[-1].calls = relocation[1]
        elif code := re.match(r"^\s*([0-9a-f]+):\t(\S+)\t?([^/]*)", line):
            current.append(Instruction(int(code[1], 16), code[2], code[3].strip()))
    for code in functions.values():
        for one in code:
            if one.name == "bl" and not one.calls and (named := re.search(r"<([^>+]+)>", one.operands)):
                one.calls = named[1]  # a static function of the same object
    return functions


# ---- kinds of instructions ----


def on_stack(one):
    return "[sp" in one.operands


def is_acquire_load(one):
    return one.name in ("ldar", "ldapr")


def is_release_store(one):
    return one.name == "stlr"


def is_load_fence(one):
    return one.name == "dmb" and one.operands in ("ishld", "ish")


def is_full_fence(one):
    return one.name == "dmb" and one.operands == "ish"


def is_copy_load(one):
    """Of the value: vectors, bytes, and memcpy through its pointer."""
    vector = one.name in ("ldr", "ldp", "ldur") and one.operands.startswith("q")
    return (vector or one.name == "ldrb" or one.name == "blr") and not on_stack(one)


def is_copy_store(one):
    vector = one.name in ("str", "stp", "stur") and one.operands.startswith("q")
    return (vector or one.name == "strb" or one.name == "blr") and not on_stack(one)


def is_store(one):
    return one.name in ("str", "stp", "strb", "stur") and not on_stack(one)


def is_word_load(one):
    return one.name == "ldr" and one.operands.startswith("x") and not on_stack(one)


def is_publication(one):
    return is_release_store(one) or (one.name == "bl" and one.calls.startswith("finish"))


def acquires(one):
    return one.calls.startswith("__aarch64_cas8_acq") or one.name in ("casa", "casal")


def takes(one):
    """By itself, or by lock.c's function for that, which is looked at as well."""
    return acquires(one) or one.calls.split(".")[0] == "lock_take"


def gives_back(one):
    return one.calls.startswith("__aarch64_cas8_rel") and "relax" not in one.calls or one.name in ("casl", "casal")


def calls_out(one):
    """To anything but what takes the lock."""
    return (one.name in ("bl", "blr", "ret") or one.name.startswith("cas")) and not takes(one)


def judges(one):
    return one.calls == "identity_is_dead"


# ---- paths ----


def successors(code, index):
    """Where control goes from there; None is out of the function."""
    one, after = code[index], index + 1 if index + 1 < len(code) else None
    if one.name in ("ret", "br"):
        return [None]
    if one.name == "b" or BRANCH.match(one.name):
        target = ADDRESS.search(one.operands)
        address = int(target[1], 16) if target and not one.calls else -1
        there = next((i for i, other in enumerate(code) if other.address == address), None)
        return [there] if one.name == "b" else [there, after]
    return [after]


def path_without(code, starts, barrier, goal):
    """Is there a path from one of `starts` to a `goal` (None: out of the function) that meets no `barrier`?"""
    seen, todo = set(), list(starts)
    while todo:
        index = todo.pop()
        if index is None:
            if goal is None:
                return "the end"
            continue
        if index in seen:
            continue
        seen.add(index)
        if goal and goal(code[index]):
            return str(code[index])
        if not barrier(code[index]):
            todo += successors(code, index)
    return None


def after(code, kind):
    """The places behind all instructions of a kind."""
    return [place for i, one in enumerate(code) if kind(one) for place in successors(code, i)]


# ---- what must hold ----


class Checker:
    def __init__(self):
        self.made, self.failures = 0, []

    def holds(self, condition, text):
        self.made += 1
        if not condition:
            self.failures.append(text)

    def no_path(self, found, text):
        self.holds(found is None, f"{text} (at {found})")


def named(functions, *names):
    """Functions, also where the compiler split or renamed them (set.part.0), that have code of their own."""
    return [(name, code) for name, code in functions.items() if name.split(".")[0] in names]


def check_readers(check, functions):
    copies = 0
    for name, code in named(functions, "seqshare_get", "get_again", "seqshare_try_get", "seqshare_get_typed",
                            "attempt_read", "seqshare_read"):
        if not any(map(is_copy_load, code)):
            continue
        copies += 1
        check.no_path(path_without(code, [0], is_acquire_load, is_copy_load), f"{name}: R1 before the copy")
        check.no_path(path_without(code, after(code, is_copy_load), is_load_fence, None), f"{name}: R2 after the copy")
        for i, one in enumerate(code):
            if is_load_fence(one):
                check.holds(any(map(is_word_load, code[i + 1:i + 5])), f"{name}: R2 and then the sequence, at {one}")
    check.holds(copies >= 4, f"read.o: only {copies} functions copy a value")


def check_writers(check, functions):
    copies = fills = publishes = 0
    for name, code in named(functions, "set", "seqshare_set", "seqshare_set_typed", "seqshare_set_if"):
        if not any(map(is_copy_store, code)):
            continue
        copies += 1
        check.holds(any(map(is_release_store, code)), f"{name}: W1")
        check.no_path(path_without(code, [0], is_full_fence, is_copy_store), f"{name}: W2 before the copy")
        check.no_path(path_without(code, after(code, is_release_store), is_full_fence, is_copy_store),
                      f"{name}: W2 between W1 and the copy")
        check.no_path(path_without(code, after(code, is_copy_store), is_publication, None), f"{name}: W3 after the copy")
        check.holds(any(map(acquires, code)), f"{name}: takes the lock with acquire")
        check.holds(any(map(gives_back, code)), f"{name}: gives the lock back with release")
    for name, code in named(functions, "seqshare_fill"):
        fills += 1
        check.holds(any(map(is_release_store, code)), f"{name}: W1")
        check.no_path(path_without(code, after(code, is_release_store), is_full_fence, None), f"{name}: W2 after W1")
        check.holds(any(map(is_full_fence, code)), f"{name}: W2")
    for name, code in named(functions, "finish"):
        check.no_path(path_without(code, [0], is_release_store, None), f"{name}: W3")
        check.no_path(path_without(code, after(code, is_release_store), lambda one: False, is_store), f"{name}: W3 is last")
    for name, code in named(functions, "seqshare_publish"):
        publishes += 1
        check.holds(any(map(is_publication, code)), f"{name}: W3")
    check.holds(copies >= 1 and fills == 1 and publishes == 1, "write.o: set, fill and publish are there")


def check_lock(check, functions):
    fences = takers = givers = 0
    for name, code in functions.items():
        takers += any(map(acquires, code))
        givers += any(map(gives_back, code))
        judged = any(map(judges, code))  # what this thread's earlier program left, no one else judges
        for i, one in enumerate(code):
            if not is_full_fence(one):
                continue
            fences += judged
            if judged:
                check.no_path(path_without(code, [0], judges, lambda other, one=one: other is one),
                              f"{name}: the fence of a take-over comes after the verdict")
            check.no_path(path_without(code, successors(code, i), takes, calls_out),
                          f"{name}: the fence of a take-over, and then it acquires")
    check.holds(fences >= 1, "lock.o: a take-over has its fence")
    for name, code in named(functions, "lock_take"):
        check.no_path(path_without(code, [0], acquires, None), f"{name}: acquires")
    check.holds(takers >= 1 and givers >= 1, "lock.o: the lock is taken with acquire and given back with release")


def check_wake(check, functions):
    for name in ("wake_await", "wake_sleepers"):
        check.holds(any(map(is_full_fence, functions[name])), f"{name}: its half of the Dekker pair")


def check_inline(check, exports, typed):
    for name in ("seqshare_version", "seqshare_peek", "seqshare_try_get_small"):
        check.holds(any(map(is_acquire_load, exports[name])), f"{name}: R1")
    for name in ("seqshare_valid", "seqshare_try_get_small"):
        code = exports[name]
        fences = [i for i, one in enumerate(code) if is_load_fence(one)]
        check.holds(bool(fences) and all(any(map(is_word_load, code[i + 1:i + 5])) for i in fences), f"{name}: R2")
    code = typed["typed_read"]
    check.no_path(path_without(code, [0], is_acquire_load, is_load_fence), "typed_read: R1 before R2")
    check.no_path(path_without(code, [0], is_load_fence, is_store), "typed_read: R2 before the result is given")
    check.holds(any(map(is_load_fence, code)) and any(map(is_store, code)), "typed_read: is inline")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    functions = {name: read_functions(sys.argv[1], f"{sys.argv[2]}/{name}.o")
                 for name in ("read", "write", "lock", "wake", "exports", "typed")}
    check = Checker()
    check_readers(check, functions["read"])
    check_writers(check, functions["write"])
    check_lock(check, functions["lock"])
    check_wake(check, functions["wake"])
    check_inline(check, functions["exports"], functions["typed"])
    for failure in check.failures:
        print(f"missing: {failure}")
    print(f"{check.made} barriers and orders looked at, {len(check.failures)} missing")
    sys.exit(1 if check.failures else 0)


main()
