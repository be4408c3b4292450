#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: bare Debian machines: the README's commands as root, then the quick programme without any privilege
# tier: full
# budget: 360
# long budget: 10800
# With SEQSHARE_LONG=1 Debian 12, 13 and testing; as root, as an ordinary user, and without any privilege; the
# benchmark, and clang, too. Machines are made by debootstrap from this machine's own package sources.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
# shellcheck source=tests/machine.sh
source ../machine.sh

work=$SEQSHARE_BUILD/releases
mkdir -p "$work"
work=$(cd "$work" && pwd -P)

suites=(trixie)
[ -z "${SEQSHARE_LONG:-}" ] || suites=(bookworm trixie testing)

in_source() { # SUITE WHO TEXT: in that user's copy of the sources, by a shell
    # shellcheck disable=SC2016
    in_machine "$1" "$2" bash -euo pipefail -c 'cd seqshare && eval "$1"' in_source "$3"
}

# ---- machines --------------------------------------------------------------------------------

# With a copy of the sources, as a clean clone has them, for each user.
make_machine() { # SUITE
    local root=$work/$1 home
    make_bare_machine "$1"
    cp "$work/unprivileged" "$root/"
    mkdir "$root/home/user" "$root/home/none"
    for home in root home/user home/none; do
        mkdir "$root/$home/seqshare"
        copy_sources "$root/$home/seqshare"
    done
    chown -R 1000:1000 "$root/home/user"
}

# ---- what the README says --------------------------------------------------------------------

# Its indented lines that match, below this heading, for root, who has no sudo on a bare machine.
readme_commands() { # HEADING PATTERN
    sed -n "/^## $1/,/^## /p" "$SEQSHARE_SOURCE/README.md" | sed -nE 's/^    (.*)/\1/p' | grep -E "$2" | sed 's/sudo //g'
}

installs_as_it_says() { # SUITE
    in_machine "$1" root apt-get update -q
    in_source "$1" root "export DEBIAN_FRONTEND=noninteractive; $(readme_commands Install '^sudo apt-get install' | sed 's/install/install -y/')"
    in_source "$1" root "$(readme_commands Install '^cmake ')"
    in_machine "$1" root bash -euc 'seqshare create x --from - <<<value; [ "$(seqshare get x)" = value ]; seqshare rm x'
}

compiles_as_it_says() { # SUITE
    in_source "$1" root "sed -n '/^\`\`\`c\$/,/^\`\`\`\$/p' README.md | sed '1d; /^\`\`\`\$/,\$d' >server.c
        $(readme_commands Install '^cc ')
        ./server | tee /dev/stderr | grep 'a worker: 100 requests a second'"
}

perl_as_it_says() { # SUITE
    in_source "$1" root "export DEBIAN_FRONTEND=noninteractive
        apt-get install -q -y --no-install-recommends perl make libcrypt-dev
        cd bindings/perl && perl Makefile.PL && make && make test && make install
        perl -MSeqshare -e 'print Seqshare->VERSION'"
}

# The code of docs/feed.md below this heading, for root: each block of shell, and each indented line.
guide() { # HEADING
    awk -v heading="$1" '/^##/ {ours = $0 == heading} !ours {next}
        /^```/ {block = $0 == "```sh"; next} block; /^    sudo / {sub(/^    sudo /, ""); print}' "$SEQSHARE_SOURCE/docs/feed.md"
}

# The unit names the program where it was installed last.
installs_the_feed_as_it_says() { # SUITE
    in_source "$1" root "export DEBIAN_FRONTEND=noninteractive
        $(guide '## Try it with a file' | sed -n 's/^apt-get install/& -q -y --no-install-recommends etcd-server etcd-client/p')
        $(readme_commands Install '^cmake ')
        cmake --install build/src/feed --prefix /opt
        diff <(grep -rhx 'ExecStart=.*/bin/seqshare-feed run %i' /usr/local/lib/systemd /opt/lib/systemd) \\
            - <<<$'ExecStart=/usr/local/bin/seqshare-feed run %i\nExecStart=/opt/bin/seqshare-feed run %i'"
}

# Two users and root read before and after a change; then without an agent; and, in a machine where nothing runs, after
# a reboot.
feed_as_it_says() { # SUITE
    local log=$work/$1-feed.log
    in_source "$1" root "$(guide '### By hand, without systemd')
        { \$as seqshare-feed status shop || true; } | grep '^share .*, 24 bytes'
        until seqshare-feed history shop | grep '^\*.* 24 bytes'; do sleep 0.1; done
        $(guide '### Without the agent')" | tee "$log"
    [ "$(grep -oF '{"flags":{"dark":true}}' "$log" | wc -l)" -eq 3 ]
    [ "$(grep -oF '{"flags":{"dark":false}}' "$log" | wc -l)" -eq 4 ]
    grep -x $'feed\tstale' "$log"
    in_source "$1" root "set +e # the status is not 0
        $(guide '### After a reboot')" | tee "$log"
    grep -x 'state *stale' "$log"
    grep -xF '{"flags":{"dark":false}}' "$log"
}

# What pip needs is fetched here: a bare machine reaches Debian's packages alone.
fetch_for_pip() {
    /usr/bin/python3 -m venv "$work/tools"
    "$work/tools/bin/pip" install --quiet build
    (cd "$SEQSHARE_SOURCE/bindings/python" && "$work/tools/bin/python" -m build --sdist --outdir "$work/wheels" .)
    "$work/tools/bin/pip" download --quiet --dest "$work/wheels" --python-version 3.13 --only-binary :all: scikit-build-core ninja pytest
}

# With no more than a compiler, and the library inside of the distribution. Then the package's own tests.
python_as_it_says() { # SUITE
    cp -r "$work/wheels" "$work/$1/wheels"
    in_source "$1" root "export DEBIAN_FRONTEND=noninteractive
        apt-get install -q -y --no-install-recommends python3-dev python3-venv
        python3 -m venv ~/venv
        ~/venv/bin/pip install -q --no-index --find-links /wheels pytest /wheels/seqshare-*.tar.gz
        ~/venv/bin/python -m pytest -q -p no:cacheprovider bindings/python/tests --ignore bindings/python/tests/hosts"
}

# The session of its README, from the sources to a page that changes. Then its tests, with the PHP of that release.
php_as_it_says() { # SUITE
    in_source "$1" root "$(
        cat <<'TEXT'
export DEBIAN_FRONTEND=noninteractive
apt-get install -q -y --no-install-recommends php-cli php-dev curl
cd bindings/php
sed -n '/^```console$/,/^```$/p' README.md | awk '/^\$ / {print substr($0, 3); more = /<<.END/; next} more {print} /^END$/ {more = 0}' |
    sed 's/^sudo //; s/^curl /curl -s --retry 60 --retry-delay 1 --retry-connrefused /' >session
echo 'kill $!' >>session
bash -eu session >said
cat said
[ "$(grep -xE 'light|dark' said | xargs)" = "light dark" ]
NO_INTERACTION=1 make test TESTS='-q -j2 --show-diff tests'
TEXT
    )"
}

# The gem, on the library that is installed there. Its tests, with Puma and Unicorn of that release.
ruby_as_it_says() { # SUITE
    in_source "$1" root "export DEBIAN_FRONTEND=noninteractive
        apt-get install -q -y --no-install-recommends ruby-dev gcc make libc6-dev rake ruby-minitest puma unicorn curl
        cd bindings/ruby && rake gem && gem install --local --no-document pkg/seqshare-*.gem
        ruby -w -I test -e 'Dir[\"test/test_*.rb\", \"test/hosts/test_*.rb\"].each { |path| require \"./#{path}\" }'"
}

without_root_as_it_says() { # SUITE
    in_source "$1" user "cmake -S . -B build && cmake --build build && cmake --install build --prefix ~/local
        printf 'cmake_minimum_required(VERSION 3.22)\nproject(x C)\nfind_package(seqshare REQUIRED)\n' >~/CMakeLists.txt
        cmake -S ~ -B ~/found -DCMAKE_PREFIX_PATH=~/local
        ~/local/bin/seqshare --version"
}

uninstalls() { # SUITE
    in_source "$1" root "cmake --build build --target uninstall
        ! ls -d /usr/local/lib/libseqshare* /usr/local/include/seqshare /usr/local/bin/seqshare"
}

# ---- the programmes --------------------------------------------------------------------------

packages_for_quick() { # SUITE
    in_source "$1" root "tests/run.sh --install-only"
}

# The last line of a run gives the numbers. It must skip by name what it may not do, and fail in nothing.
quick_programme() { # SUITE WHO
    local log=$work/$1-$2.log rc=0
    in_source "$1" "$2" "tests/run.sh --no-install" >"$log" 2>&1 || rc=$?
    sed -n '/^part  /,$p' "$log"
    [ $rc -eq 0 ] || { grep -E -A 30 'FAILED|^not ok|\[FAIL\]' "$log" | tail -n 200 && return $rc; }
    [[ $(tail -n 1 "$log") =~ ^[1-9][0-9]+\ passed,\ 0\ failed ]]
}

benchmark() { # SUITE WHO
    in_source "$1" "$2" "bench/run.sh --quick" | tail -n 40
}

clang_builds() { # SUITE
    in_source "$1" root "export DEBIAN_FRONTEND=noninteractive; apt-get install -q -y --no-install-recommends clang
        cmake --preset release-clang -DSEQSHARE_BENCH=OFF && cmake --build build/release-clang
        build/release-clang/tests/unit/unit-tests --color=never --filter '!(step*)/*'"
}

# Named when it goes well, as well: how many passed, and for which reasons something was skipped.
check_quick() { # SUITE WHO TEXT
    check "$1: the quick programme, $3" quick_programme "$1" "$2"
    sed -n '/^part  /,$p' "$work/$1-$2.log" 2>/dev/null | sed 's/^/    /' || true
}

square() { # SUITE
    local who
    check "$1: without root, as the README says" without_root_as_it_says "$1"
    check_quick "$1" root "as root"
    check_quick "$1" user "as an ordinary user"
    check "$1: builds with clang, and passes" clang_builds "$1"
    for who in root user none; do
        check "$1: bench/run.sh --quick, $who" benchmark "$1" "$who"
    done
}

# ----------------------------------------------------------------------------------------------

need_machines
gcc -O1 -Wall -Wextra -Werror -static -o "$work/unprivileged" unprivileged.c -lseccomp
trap 'for suite in "${suites[@]}"; do remove_machine "$suite"; done' EXIT
rm -f "$work/pip.works"
(fetch_for_pip; touch "$work/pip.works") >"$work/pip.log" 2>&1 & # beside the first machine
for suite in "${suites[@]}"; do
    check "$suite: a bare machine" make_machine "$suite"
    check "$suite: the README's commands install it" installs_as_it_says "$suite"
    check "$suite: the README's first program" compiles_as_it_says "$suite"
    check "$suite: the README's commands for Perl" perl_as_it_says "$suite"
    check "$suite: the feed's guide: it installs" installs_the_feed_as_it_says "$suite"
    check "$suite: the feed's guide: a fleet's flag for two users and root, without an agent, after a reboot" feed_as_it_says "$suite"
    wait
    if [ -e "$work/pip.works" ]; then
        check "$suite: pip installs the Python package, which works" python_as_it_says "$suite"
    else
        skip "$suite: pip installs the Python package" "pip does not reach the packages that it builds with"
    fi
    check "$suite: the README's session for PHP, and its tests" php_as_it_says "$suite"
    check "$suite: the gem for Ruby, Puma and Unicorn" ruby_as_it_says "$suite"
    check "$suite: it uninstalls" uninstalls "$suite"
    check "$suite: the packages for the quick programme" packages_for_quick "$suite"
    check_quick "$suite" none "without any privilege"
    [ -z "${SEQSHARE_LONG:-}" ] || square "$suite"
done
finish
