#!/usr/bin/env bash
# Spark 4.1.4: stopping an application whose work is done waits for an executor that stands still.
#
# A broadcast that the driver no longer holds is removed by the context cleaner, which by default
# (spark.cleaner.referenceTracking.blocking) waits for the answers of all executors, and holds its own
# lock meanwhile. SparkContext.stop() wants that lock before it tells anybody to end. So one process
# that is stopped, swapped out or cut off keeps a finished driver for all of spark.network.timeout:
# two minutes by default, 20 seconds here. Nothing is logged on the way.
#
# Seen:
#   waits for answers (the default): stop() took as long as spark.network.timeout
#   does not: stop() came back at once
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pyspark==4.1.4
cat > "$folder/run.py" <<'PYTHON'
import os
import signal
import sys
import time

from pyspark.sql import SparkSession

TIMEOUT = 20
blocking = sys.argv[1]
spark = (
    SparkSession.builder.master("local-cluster[2,1,1024]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.executor.memory", "1g")
    .config("spark.network.timeout", f"{TIMEOUT}s")
    .config("spark.network.timeoutInterval", f"{TIMEOUT}s")
    .config("spark.storage.blockManagerHeartbeatTimeoutMs", f"{TIMEOUT}s")
    .config("spark.executor.heartbeatInterval", "5s")
    .config("spark.cleaner.referenceTracking.blocking", blocking)
    .getOrCreate()
)
context = spark.sparkContext
executors = 0
while executors < 2:
    executors = context._jsc.sc().statusTracker().getExecutorInfos().__len__() - 1
    time.sleep(0.2)
# Each job sends its tasks in a broadcast of its own, which nobody holds afterwards.
for _ in range(3):
    assert context.parallelize(range(8), 8).map(lambda x: x * x).sum() == 140
pids = [
    int(pid)
    for pid in os.listdir("/proc")
    if pid.isdigit()
    and b"CoarseGrainedExecutorBackend" in open(f"/proc/{pid}/cmdline", "rb").read()
    and str(context._jsc.sc().applicationId()).encode() in open(f"/proc/{pid}/cmdline", "rb").read()
]
assert len(pids) == 2, pids
os.kill(pids[0], signal.SIGSTOP)
try:
    context._jvm.System.gc()
    time.sleep(2)
    begin = time.monotonic()
    context.stop()
    seconds = time.monotonic() - begin
finally:
    os.kill(pids[0], signal.SIGKILL)
print(f"{seconds:.1f} s")
late = seconds > TIMEOUT / 2
assert late == (blocking == "true"), f"blocking={blocking}: stop() took {seconds:.1f} s"
PYTHON
export SPARK_LOCAL_IP=127.0.0.1
for blocking in true false; do
  if ! took=$("$folder/venv/bin/python" "$folder/run.py" "$blocking" 2>"$folder/log"); then
    cat "$folder/log" >&2
    exit 1
  fi
  echo "spark.cleaner.referenceTracking.blocking=$blocking: stop() took $took"
done
