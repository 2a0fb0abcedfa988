#!/usr/bin/env bash
# Runs Reweave on YARN; HADOOP_CONF_DIR says where that is.
#
# usage: submit/yarn.sh [--dry-run] [--conf KEY=VALUE]... COMMAND ...
#   --dry-run            first of all: print the command line and run nothing
#   SPARK_HOME           the Spark installation; otherwise spark-submit on the PATH
#   REWEAVE_DEPLOY_MODE  client (the default: the driver runs here) or cluster: what the command
#                        prints is then in the application's log
# All else is as with submit/reweave; conf/cluster.conf applies, and --conf overrides it.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

read_cluster_arguments "$@"
master=yarn
deploy=${REWEAVE_DEPLOY_MODE:-client}
[[ $deploy == client || $deploy == cluster ]] ||
  die "REWEAVE_DEPLOY_MODE is client or cluster, not $deploy" 2
# A conversion that failed would fail again: Spark has tried each task several times.
spark_submit "$deploy" "$jar" --conf spark.yarn.maxAppAttempts=1
