#!/usr/bin/env bash
# Runs Reweave on Kubernetes with plain spark-submit; the driver is a pod. For Spark's operator see
# kubernetes.yaml.
#
# usage: submit/kubernetes.sh [--dry-run] --master k8s://https://HOST:6443 [--conf KEY=VALUE]... COMMAND ...
#   --dry-run      first of all: print the command line and run nothing
#   REWEAVE_IMAGE  the image of submit/Dockerfile, or one with Spark, a connector and reweave.jar in it
#   REWEAVE_JAR    where the jar is for the pods; local:///opt/reweave/reweave.jar by default
#   SPARK_HOME     the Spark installation; otherwise spark-submit on the PATH
# Namespace and service account are settings: --conf spark.kubernetes.namespace=…,
# --conf spark.kubernetes.authenticate.driver.serviceAccountName=…
# All else is as with submit/reweave; conf/cluster.conf applies, and --conf overrides it.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

read_cluster_arguments "$@"
[[ $master == k8s://* ]] || die "--master k8s://https://HOST:PORT is needed (or REWEAVE_MASTER)" 2
need REWEAVE_IMAGE "the image of driver and executors"
spark_submit cluster "${REWEAVE_JAR:-local:///opt/reweave/reweave.jar}" \
  --conf "spark.kubernetes.container.image=$REWEAVE_IMAGE"
