#!/usr/bin/env bash
# Hadoop 3.4.2 and 3.5.0: in a try-with-resources, a stream of HDFS that fails gives "Self-suppression not
# permitted" in place of its failure.
#
# DFSOutputStream keeps the exception that its thread met, throws it from write() or hflush(), and throws
# the same object again from close(). Java's try-with-resources adds what close() throws to what the body
# threw; for an exception added to itself Throwable.addSuppressed() throws an IllegalArgumentException. So
# `try (out = fs.create(file)) { out.write(…); out.hflush(); }` over a space quota ends with that, and no
# `catch (IOException e)` around it sees the quota: a program that handles IOException for all its writes
# dies of an unchecked exception. The failure is only its cause.
#
# Seen with hadoop-client-minicluster, Java 17:
#   3.4.2: java.lang.IllegalArgumentException: Self-suppression not permitted, caused by DSQuotaExceededException
#   3.5.0: java.lang.IllegalArgumentException: Self-suppression not permitted, caused by DSQuotaExceededException
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
java -version 2>&1 | head -1
cat >"$folder/Quota.java" <<'JAVA'
import java.io.File;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.protocol.HdfsConstants;
import org.apache.hadoop.util.VersionInfo;

public class Quota {
  public static void main(String[] args) throws Exception {
    Configuration conf = new Configuration();
    MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(conf, new File(args[0])).numDataNodes(1).build();
    DistributedFileSystem fs = cluster.getFileSystem();
    Path folder = new Path("/limited");
    fs.mkdirs(folder);
    fs.setQuota(folder, HdfsConstants.QUOTA_DONT_SET, 1 << 20);
    String seen;
    try (FSDataOutputStream out = fs.create(new Path(folder, "file"))) {
      out.write(1);
      out.hflush();
      seen = "written";
    } catch (IOException e) {
      seen = e.getClass().getName();
    } catch (RuntimeException e) {
      seen = e + ", caused by " + e.getCause().getClass().getSimpleName();
    }
    System.out.println(VersionInfo.getVersion() + ": " + seen);
    Runtime.getRuntime().halt(0);
  }
}
JAVA
for hadoop in 3.4.2 3.5.0; do
  mkdir "$folder/$hadoop"
  cat >"$folder/$hadoop/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>quota</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.hadoop</groupId><artifactId>hadoop-client-minicluster</artifactId>
      <version>$hadoop</version>
    </dependency>
  </dependencies>
</project>
XML
  mvn -B -q -f "$folder/$hadoop/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder/$hadoop/jars"
  javac -cp "$folder/$hadoop/jars/*" -d "$folder/$hadoop" "$folder/Quota.java"
  java -cp "$folder/$hadoop:$folder/$hadoop/jars/*" Quota "$folder/$hadoop/dfs" \
    >"$folder/$hadoop/out" 2>"$folder/$hadoop/log" || { tail -5 "$folder/$hadoop/log" >&2; exit 1; }
  tail -1 "$folder/$hadoop/out"
  diff <(tail -1 "$folder/$hadoop/out") - <<SEEN
$hadoop: java.lang.IllegalArgumentException: Self-suppression not permitted, caused by DSQuotaExceededException
SEEN
done
