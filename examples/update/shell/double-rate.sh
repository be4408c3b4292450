#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Doubles the limit of the share NAME, whose lock it has: seqshare lock NAME -- double-rate.sh NAME
set -euo pipefail
new=$(seqshare get "$1" | jq --compact-output '.limits.rate *= 2')
exec seqshare set "$1" "$new" --json
