#!/usr/bin/env bash
# Runs Reweave as a job of EMR Serverless, through the AWS command line. The application needs a
# release with Spark 4.
#
# usage: submit/emr-serverless.sh [--dry-run] [--conf KEY=VALUE]... COMMAND ...
#   --dry-run        first of all: print the command line and run nothing
#   EMR_APPLICATION  the application's id
#   EMR_ROLE         the ARN of the job's role, which may read the input and write the output
#   REWEAVE_JAR      the jar in S3: s3://BUCKET/reweave.jar
# All else is as with submit/reweave; conf/cluster.conf applies, and --conf overrides it. Values of
# settings hold no blanks and quotes here, since the service splits them at blanks.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

read_cluster_arguments "$@"
need EMR_APPLICATION "the id of the EMR Serverless application"
need EMR_ROLE "the ARN of the job's role"
need REWEAVE_JAR "the address of reweave.jar in S3"
parameters="--class $main_class"
[[ -n ${REWEAVE_MEMORY:-} ]] && settings+=("spark.driver.memory=$REWEAVE_MEMORY")
[[ -n ${REWEAVE_JARS:-} ]] && settings+=("spark.jars=$REWEAVE_JARS")
for setting in "${settings[@]}"; do
  [[ $setting =~ [[:space:]\"\'] ]] && die "a setting with blanks or quotes: $setting" 2
  parameters+=" --conf $setting"
done
# shellcheck disable=SC2153 # not REWEAVE_JARS: it is set, as need has made sure
entry=$(json_array "$REWEAVE_JAR")
line=$(json_array "$parameters")
driver="{\"sparkSubmit\":{\"entryPoint\":${entry:1:-1},"
driver+="\"entryPointArguments\":$(json_array "${arguments[@]}"),"
driver+="\"sparkSubmitParameters\":${line:1:-1}}}"
run_or_print aws emr-serverless start-job-run --application-id "$EMR_APPLICATION" \
  --execution-role-arn "$EMR_ROLE" --name reweave --job-driver "$driver"
