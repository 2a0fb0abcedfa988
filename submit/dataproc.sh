#!/usr/bin/env bash
# Runs Reweave on a Dataproc cluster, through gcloud. The cluster needs an image with Spark 4.
#
# usage: submit/dataproc.sh [--dry-run] [--conf KEY=VALUE]... COMMAND ...
#   --dry-run         first of all: print the command line and run nothing
#   DATAPROC_CLUSTER  the cluster's name
#   DATAPROC_REGION   its region
#   REWEAVE_JAR       the jar in Cloud Storage (gs://BUCKET/reweave.jar); this folder's by default,
#                     which gcloud uploads
# All else is as with submit/reweave; conf/cluster.conf applies, and --conf overrides it.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

read_cluster_arguments "$@"
need DATAPROC_CLUSTER "the name of the Dataproc cluster"
need DATAPROC_REGION "the region of the Dataproc cluster"
[[ -n ${REWEAVE_MEMORY:-} ]] && settings+=("spark.driver.memory=$REWEAVE_MEMORY")
properties=''
for setting in "${settings[@]}"; do
  [[ $setting == *'#'* ]] && die "a setting with the sign #: $setting" 2
  properties+="#$setting"
done
[[ $mode == run && -z ${REWEAVE_JAR:-} ]] && need_jar
# ^#^ is gcloud's way to say that # stands between the items, in place of commas.
run_or_print gcloud dataproc jobs submit spark "--cluster=$DATAPROC_CLUSTER" \
  "--region=$DATAPROC_REGION" "--class=$main_class" \
  "--jars=${REWEAVE_JAR:-$jar}${REWEAVE_JARS:+,$REWEAVE_JARS}" \
  "--properties=^#^${properties:1}" -- "${arguments[@]}"
