#!/usr/bin/env bash
# Hadoop 3.4.2 and 3.5.0: to look at one path on the local disk starts a process and waits for it.
#
# A static field of org.apache.hadoop.util.Shell runs `setsid bash -c 'echo $$'` and keeps whether that
# worked, for commands that nobody will run here. No command is needed for it: RawLocalFileSystem asks
# the class for the name of the operating system before it answers getFileStatus(). FileSystem.get()
# for a path of the scheme `file` does more: it loads and makes one object of every file system on the
# class path, HDFS and the web ones among them, before it looks at the scheme.
# `new RawLocalFileSystem()` with initialize() leaves that out, and the process is started all the same.
# A tool that reads one local file and ends pays for both each time.
#
# Seen with the jars of pyspark 4.1.4 (Hadoop 3.4.2) and 4.2.1 (Hadoop 3.5.0), Java 17:
#   3.4.2 get: setsid started 1 times, HDFS's class loaded 1 times
#   3.4.2 new: setsid started 1 times, HDFS's class loaded 0 times
#   3.5.0 get: setsid started 1 times, HDFS's class loaded 1 times
#   3.5.0 new: setsid started 1 times, HDFS's class loaded 0 times
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
java -version 2>&1 | head -1
cat >"$folder/Look.java" <<'JAVA'
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.VersionInfo;

public class Look {
  public static void main(String[] args) throws Exception {
    URI disk = URI.create("file:///");
    Configuration conf = new Configuration();
    FileSystem files = new RawLocalFileSystem();
    if (args[0].equals("get")) {
      files = FileSystem.get(disk, conf);
    } else {
      files.initialize(disk, conf);
    }
    if (!files.getFileStatus(new Path("/")).isDirectory()) {
      throw new IllegalStateException();
    }
    System.out.print(VersionInfo.getVersion());
  }
}
JAVA
# Notes each call and does what the real one does.
mkdir "$folder/bin" "$folder/made"
real=$(command -v setsid)
cat >"$folder/bin/setsid" <<SCRIPT
#!/usr/bin/env bash
echo "\$*" >>"$folder/calls"
exec "$real" "\$@"
SCRIPT
chmod +x "$folder/bin/setsid"
seen() {
  : >"$folder/calls"
  local version calls loaded
  version=$(PATH=$folder/bin:$PATH java "-Xlog:class+load:file=$folder/classes" \
    -cp "$folder/made:$jars/*" Look "$1" 2>"$folder/log") || { cat "$folder/log" >&2; exit 1; }
  calls=$(wc -l <"$folder/calls")
  loaded=$(grep -c 'org\.apache\.hadoop\.hdfs\.DistributedFileSystem ' "$folder/classes" || true)
  echo "$version $1: setsid started $calls times, HDFS's class loaded $loaded times"
}
for hadoop in 3.4.2 3.5.0; do
  pyspark=4.1.4
  [[ $hadoop == 3.4.2 ]] || pyspark=4.2.1
  python3 -m venv "$folder/venv-$pyspark"
  "$folder/venv-$pyspark/bin/pip" install -q "pyspark==$pyspark"
  jars=$(echo "$folder/venv-$pyspark"/lib/python3*/site-packages/pyspark/jars)
  javac -cp "$jars/*" -d "$folder/made" "$folder/Look.java"
  got=$(seen get)
  made=$(seen new)
  printf '%s\n' "$got" "$made"
  [[ $got == "$hadoop get: setsid started 1 times, HDFS's class loaded 1 times" ]]
  [[ $made == "$hadoop new: setsid started 1 times, HDFS's class loaded 0 times" ]]
done
