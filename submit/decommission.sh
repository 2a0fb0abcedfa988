#!/usr/bin/env bash
# What Kubernetes runs in an executor's pod before it ends the pod (spark.decommission.enabled): asks
# the executor, which is the pod's first process, to finish and to take no more tasks.
set -euo pipefail

kill -s PWR 1
# The pod lives until this script ends, or its time of grace does.
timeout 60 tail --pid=1 -f /dev/null || true
