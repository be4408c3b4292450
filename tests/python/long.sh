# SPDX-License-Identifier: MIT
# The long programme of the Python part: a Python without the interpreter's lock and one with its checks, both built from
# Debian's source package, and a fuzzer. Sourced by run.sh.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${package:?is set by run.sh}"

# Debian's own sources of the Python that Debian 13 has, by package lists of our own.
fetch_cpython() {
    local apt=$work/apt mirror codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' | sed -n "s/ $codename main\$//p" | head -n 1)
    mkdir -p "$apt/lists/partial" "$work/cpython"
    echo "deb-src $mirror trixie main" >"$apt/sources.list"
    local options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$apt/lists"
        -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$work/cpython" && apt-get "${options[@]}" source --only-source python3.13)
}

build_cpython() { # NAME OPTION...
    local name=$1
    shift
    mkdir "$work/cpython/build-$name"
    (cd "$work/cpython/build-$name" && sh ../python3.13-*/configure --prefix="$work/cpython/$name" "$@" CFLAGS=-O1 &&
        make -j "$(nproc)" && make install) >"$work/cpython/$name.log" 2>&1 || { tail -n 30 "$work/cpython/$name.log" && return 1; }
}

# From the source distribution: the wheel is for the limited API, which a Python without the lock does not have.
test_with_sdist() { # NAME
    local environment=$work/venv-$1
    "$work/cpython/$1/bin/python3" -m venv "$environment"
    pip_install "$environment" pytest "$work"/dist/seqshare-*.tar.gz
    "$environment/bin/python" -X dev -m pytest -q -p no:cacheprovider "$package/tests" --ignore "$package/tests/hosts"
}

the_lock_stays_off() {
    "$work/venv-free/bin/python" -W error -c 'import sys, seqshare; sys.exit(sys._is_gil_enabled())'
}

fuzz() {
    /usr/bin/python3 -m venv "$work/venv-fuzz"
    pip_install "$work/venv-fuzz" atheris "$work"/wheel/*.whl
    "$work/venv-fuzz/bin/python" fuzz.py -max_total_time=120 -max_len=4096 "$SEQSHARE_SOURCE"/tests/fuzz/corpus/json*
}

check "Debian's sources of Python 3.13" fetch_cpython
check "Python 3.13 without the interpreter's lock builds" build_cpython free --disable-gil
check "Python 3.13 without the interpreter's lock: the tests, by the source distribution" test_with_sdist free
check "the lock stays off when the package is imported" the_lock_stays_off
check "Python 3.13 with its own checks builds" build_cpython debug --with-pydebug
check "Python 3.13 with its own checks: the tests, by the source distribution" test_with_sdist debug
if /usr/bin/python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work/atheris" atheris 2>/dev/null; then
    check "a fuzzer's values and calls" fuzz
else
    skip "a fuzzer's values and calls" "there is no atheris for this Python"
fi
