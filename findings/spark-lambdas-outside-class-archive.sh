#!/usr/bin/env bash
# Java 17 and Spark 4.1.4: a class archive holds the lambdas of Spark, and no run takes them from it.
#
# -XX:ArchiveClassesAtExit keeps the classes of a run, those that stand for lambdas among them, for
# runs with -XX:SharedArchiveFile to map. But LambdaMetafactory asks the archive only for lambdas that
# are not serializable, and all functions of Scala 2.13 are. So an application that starts Spark maps
# nearly all classes and still makes about a thousand of them by itself, each time; the archive's
# copies of them are dead weight. Nothing is logged on the way.
#
# Seen with OpenJDK 17.0.15:
#   a plain lambda: from the archive; a serializable one: made again
#   classes that are no lambdas: 6620 of 6644 from the archive
#   lambdas of Spark and Scala: 12 of 1105 (those of Spark's Java code)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
java -version 2>&1 | head -1
[[ $(java -XshowSettings:properties -version 2>&1) == *'java.specification.version = 17'* ]] ||
  { echo "this is about Java 17" >&2; exit 1; }
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pyspark==4.1.4
jars=$(echo "$folder"/venv/lib/python3*/site-packages/pyspark/jars)
cat >"$folder/Start.java" <<'JAVA'
import java.io.Serializable;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

public class Start {
  public static void main(String[] args) {
    Runnable plain = () -> System.out.println("plain");
    Runnable serializable = (Runnable & Serializable) () -> System.out.println("serializable");
    plain.run();
    serializable.run();
    SparkConf conf = new SparkConf().setMaster("local[1]").setAppName("start");
    conf.set("spark.ui.enabled", "false").set("spark.driver.host", "127.0.0.1");
    try (JavaSparkContext spark = new JavaSparkContext(conf)) {
      System.out.println(spark.parallelize(List.of(1, 2, 3)).count());
    }
  }
}
JAVA
mkdir "$folder/made"
javac -cp "$jars/*" -d "$folder/made" "$folder/Start.java"
(cd "$folder/made" && jar cf "$folder/start.jar" Start.class)
options=()
for package in java.lang java.lang.invoke java.nio java.util java.util.concurrent sun.nio.ch \
  java.net java.io jdk.internal.ref; do
  options+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
run() {
  SPARK_LOCAL_IP=127.0.0.1 java "${options[@]}" "$@" -cp "$folder/start.jar:$jars/*" Start \
    >"$folder/out" 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; }
}
run -XX:ArchiveClassesAtExit="$folder/start.jsa"
run -XX:SharedArchiveFile="$folder/start.jsa" "-Xlog:class+load:file=$folder/classes"
count() {
  local all archived
  all=$(grep -cE "$1" "$folder/chosen")
  archived=$(grep -E "$1" "$folder/chosen" | grep -c 'source: shared objects file' || true)
  echo "$2: $archived of $all from the archive"
  percent=$((archived * 100 / all))
}
grep -vF 'Lambda$' "$folder/classes" | grep -v 'source: __' >"$folder/chosen"
count . "classes that are no lambdas"
((percent >= 90))
grep -F '$$Lambda$' "$folder/classes" | grep -E ' (org\.apache\.spark\.|scala\.)' >"$folder/chosen"
count . "lambdas of Spark and Scala"
((percent <= 5))
grep -E ' Start\$\$Lambda\$' "$folder/classes" >"$folder/chosen"
sed 's/.*load\] //' "$folder/chosen"
[[ $(grep -c 'shared objects file' "$folder/chosen") == 1 && $(wc -l <"$folder/chosen") == 2 ]]
