#!/usr/bin/env bash
# What the image of submit/Dockerfile runs. Spark on Kubernetes starts its pods with `driver …` and with
# `executor`; everything else is a command line of Reweave, run with embedded Spark in this pod.
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

java=${JAVA_HOME:+$JAVA_HOME/bin/}java

# Sets words to the command line that Spark's launcher makes of a spark-submit: memory and options of
# the driver stand in the properties that it is given. It prints a line, then the words, each with a
# zero byte behind it.
launch() {
  exec {answer}< <(
    SPARK_HOME=$home SPARK_SCALA_VERSION=2.13 "$java" -Xmx128m -cp "$home/jars/*" \
      org.apache.spark.launcher.Main org.apache.spark.deploy.SparkSubmit "$@"
  )
  IFS= read -r _ <&"$answer" || true
  mapfile -d '' -t words <&"$answer"
  exec {answer}<&-
  ((${#words[@]})) || die "Spark's launcher made no command: see above"
}

case ${1:-} in
  driver)
    shift
    launch --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
      --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
      --deploy-mode client "$@"
    exec "${words[@]}"
    ;;
  executor)
    options=()
    while read -r variable; do
      options+=("${!variable}")
    done < <(compgen -e SPARK_JAVA_OPT_ | sort -t_ -k4 -n)
    path="$home/jars/*"
    for folder in "${HADOOP_CONF_DIR:-}" "${SPARK_CONF_DIR:-}" "${SPARK_CLASSPATH:-}"; do
      [[ -n $folder ]] && path=$folder:$path
    done
    exec "$java" "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
      -cp "$path" org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
      --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" \
      --cores "$SPARK_EXECUTOR_CORES" --app-id "$SPARK_APPLICATION_ID" \
      --hostname "$SPARK_EXECUTOR_POD_IP" --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
      --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
  *)
    exec "$home/bin/reweave" "$@"
    ;;
esac
