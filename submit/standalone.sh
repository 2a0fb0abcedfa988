#!/usr/bin/env bash
# Runs Reweave on a standalone Spark cluster; the driver runs here.
#
# usage: submit/standalone.sh [--dry-run] --master spark://HOST:7077 [--conf KEY=VALUE]... COMMAND ...
#   --dry-run   first of all: print the command line and run nothing
#   SPARK_HOME  the Spark installation, of the cluster's version; otherwise spark-submit on the PATH
# All else is as with submit/reweave; conf/cluster.conf applies, and --conf overrides it.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

read_cluster_arguments "$@"
[[ $master == spark://* ]] || die "--master spark://HOST:PORT is needed (or REWEAVE_MASTER)" 2
spark_submit client "$jar"
