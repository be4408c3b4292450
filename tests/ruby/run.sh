#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the Ruby gem from its own archive, and on the installed library; Puma, Unicorn
# tier: quick
# budget: 110
# quick budget: 8
# quick leaves out: the gem, its tests, servers
# long budget: 900
# lane: waits
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/ruby
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd -P)
package=$SEQSHARE_SOURCE/bindings/ruby
export GEM_HOME=$work/gems SEQSHARE_PAGE=$SEQSHARE_SOURCE/docs/ruby.md
unset RUBYLIB RUBYOPT
source ./parts.sh

if ! ruby -rmkmf -e 'exit(RUBY_VERSION >= "3.1" && File.exist?("#{$hdrdir}/ruby.h"))' 2>/dev/null; then
    skip "the Ruby gem" "needs Ruby from 3.1, what extensions are built with: apt-get install ruby ruby-dev"
    finish
fi
if is_quick; then
    check "the extension builds without a gem, and works" smoke
    finish
fi
check "a gem has the library inside" make_gem
check "it installs, where the library is not" install_gem
check "the gem's tests" test_gem "$package/test"
check "Puma, Unicorn, and the recipes of docs/ruby.md" test_gem "$package/test/hosts"
check "the README's session, as it stands" readme_session "$work"
check "what the README says that a share can do" readme_block
export PKG_CONFIG_PATH=$work/installed/lib/pkgconfig LD_LIBRARY_PATH=$work/installed/lib
SEQSHARE_C_FLAGS="-I$work/installed/include -L$work/installed/lib -Wl,-rpath,$work/installed/lib -lseqshare"
export SEQSHARE_C_FLAGS
check "the extension builds on the installed library" build_on_the_library
check "the tests on the installed library" test_on_the_library values typed memory
check "rake builds it in the tree" rake_compiles
check "every public method has its signature" ruby signatures.rb "$package/sig/seqshare.rbs"
check "Ruby's own values and calls, at random" fuzz "$([ -n "${SEQSHARE_LONG:-}" ] && echo 300 || echo 5)"
check "the benchmark runs" ruby "$package/benchmark/compare.rb" --quick
if [ -n "${SEQSHARE_LONG:-}" ]; then
    check "with gcc's sanitizers: the tests, and values and calls at random" test_sanitized
    check "a benchmark with YJIT" ruby --yjit "$package/benchmark/compare.rb" --quick
fi
finish
