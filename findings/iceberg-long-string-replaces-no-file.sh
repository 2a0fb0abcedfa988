#!/usr/bin/env bash
# Iceberg 1.11.0 on Spark 4.1: rows that all match a filter cannot be replaced, if it compares a string
# of more than 16 characters.
#
# `df.writeTo(t).overwrite(col = value)` drops whole files. For a table that is not partitioned by the
# column, Iceberg decides from each file's bounds whether all of its rows match; for strings it keeps 16
# characters of the bounds (write.metadata.metrics.default is truncate(16)), so that lower = upper = value
# never holds for a longer one. A table with one file, all rows of which have the very value, gives "Cannot
# delete file where some, but not all, rows match filter". A UUID has 36 characters: who keeps the id of a
# run in a column and replaces the run's rows by it meets this at the first rerun, and never with the short
# ids of a test. With the column's bounds whole (metrics mode full), or the table partitioned by it, the
# same statement works.
#
# Seen with PySpark 4.1.4, iceberg-spark-runtime-4.1_2.13 1.11.0, Java 17:
#   16 characters: replaced
#   17 characters: refused (some, but not all, rows match)
#   17 characters, bounds whole: replaced
#   17 characters, partitioned: replaced
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pyspark==4.1.4
mvn -B -q dependency:copy -DoutputDirectory="$folder" \
  -Dartifact=org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0
cat >"$folder/replace.py" <<'PYTHON'
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, lit

folder = sys.argv[1]
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.jars", folder + "/iceberg-spark-runtime-4.1_2.13-1.11.0.jar")
    .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.lake.type", "hadoop")
    .config("spark.sql.catalog.lake.warehouse", "file://" + folder + "/lake")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)


def replaced(table, value, layout=""):
    spark.sql(f"CREATE TABLE lake.db.{table} (run STRING, n INT) USING iceberg {layout}")
    rows = spark.range(3).select(lit(value).alias("run"), col("id").cast("int").alias("n"))
    rows.coalesce(1).writeTo(f"lake.db.{table}").append()
    try:
        rows.coalesce(1).writeTo(f"lake.db.{table}").overwrite(col("run") == value)
    except Exception as e:
        assert "some, but not all, rows match" in str(e), e
        return "refused (some, but not all, rows match)"
    assert spark.table(f"lake.db.{table}").count() == 3
    return "replaced"


whole = "TBLPROPERTIES ('write.metadata.metrics.column.run' = 'full')"
print("16 characters:", replaced("short", "r" * 16))
print("17 characters:", replaced("long", "r" * 17))
print("17 characters, bounds whole:", replaced("whole", "r" * 17, whole))
print("17 characters, partitioned:", replaced("parts", "r" * 17, "PARTITIONED BY (run)"))
PYTHON
"$folder/venv/bin/python" "$folder/replace.py" "$folder" 2>"$folder/log" >"$folder/out" ||
  { tail -5 "$folder/log" >&2; exit 1; }
cat "$folder/out"
diff "$folder/out" - <<'SEEN'
16 characters: replaced
17 characters: refused (some, but not all, rows match)
17 characters, bounds whole: replaced
17 characters, partitioned: replaced
SEEN
