#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the Python package from its own distributions, on each CPython here; gunicorn, uWSGI, uvicorn, Celery
# tier: quick
# budget: 120
# quick budget: 15
# quick leaves out: pip, wheels, other versions of Python, servers
# long budget: 2400
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/python
rm -rf "$work"
mkdir -p "$work"
package=$SEQSHARE_SOURCE/bindings/python
source ./parts.sh

if is_quick; then
    check "the extension builds without pip, and works" smoke
    finish
fi
check "pip makes a virtual environment, and reaches its packages" make_tools
if [ $failed -gt 0 ]; then
    failed=0
    skip "the Python package" "pip cannot reach the packages that it builds with"
    finish
fi
check "a source distribution has the library inside" make_sdist
check "a wheel from it is repaired for other systems" make_wheel
check "Debian's Python: the tests, with the wheel" test_with /usr/bin/python3
versions=(3.9 3.13)
[ -z "${SEQSHARE_LONG:-}" ] || versions=(3.9 3.10 3.11 3.12 3.13 3.14)
for version in "${versions[@]}"; do
    python=$(find_python $version)
    if [ -n "$python" ]; then
        check "Python $version: the tests, with the wheel" test_with "$python"
    else
        skip "Python $version" "not on this machine"
    fi
done
check "Debian's Python: servers, pools of workers, and the recipes of docs/python.md" test_hosts
check "Debian's Python: the README's session, as it stands" readme_session "$work"
check "every name has its stub, and pydoc shows the package" stubs_and_pydoc
check "the benchmark runs" benchmark --quick
if [ -n "${SEQSHARE_LONG:-}" ]; then
    source ./long.sh
fi
finish
