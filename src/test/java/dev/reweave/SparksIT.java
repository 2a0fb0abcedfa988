package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.Links;
import dev.reweave.testing.ReleaseFolder;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SparkRuntime;
import dev.reweave.testing.SqlProcess;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestHdfs;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The packaged jar on each Spark that it is to run on, in processes of their own, with jars that
 * Maven fetches: {@code mvn -P sparks verify}. What a Spark makes is what that of this build makes.
 */
@Tag("sparks")
class SparksIT {
  private static final Path CHECKPOINT = Fixtures.folder("z3_bf16_w2/ckpt");
  private static final String EXPECTED =
      Fixtures.folder("z3_bf16_w2/expected.safetensors").toString();

  @TempDir Path temp;

  /** The wanted ones, or those of Maven Central, each with the Javas on which it starts. */
  static Stream<Arguments> sparks() throws Exception {
    List<String> wanted = List.of(System.getProperty("sparks", "").split(",", -1));
    List<Arguments> sparks = new ArrayList<>();
    for (SparkRuntime runtime : SparkRuntime.ALL) {
      if (wanted.contains(runtime.spark())
          || (wanted.equals(List.of("")) && runtime.source() == SparkRuntime.Source.MAVEN)) {
        for (Path java : runtime.javas()) {
          sparks.add(Arguments.of(runtime, java));
        }
      }
    }
    return sparks.stream();
  }

  @AfterEach
  void deleteLinks() throws Exception {
    ReleaseFolder.deleteLinks(temp);
  }

  /** What no command of these tests comes to is looked at as well. */
  @ParameterizedTest
  @MethodSource("sparks")
  void links(SparkRuntime runtime, Path java) throws Exception {
    List<Path> jars = new ArrayList<>(runtime.jars());
    List<Path> inTheJar =
        Stream.of(System.getProperty("java.class.path").split(":", -1))
            .filter(path -> path.contains("/picocli-") || path.contains("/jline-terminal-"))
            .map(Path::of)
            .toList();
    assertEquals(2, inTheJar.size(), inTheJar::toString);
    jars.addAll(inTheJar);

    assertEquals(Set.of(), Links.missing(Path.of("target", "classes"), jars));
  }

  @ParameterizedTest
  @MethodSource("sparks")
  void local(SparkRuntime runtime, Path java) throws Exception {
    Path release = ReleaseFolder.of(temp.resolve("release"), runtime.jars());
    String out = temp.resolve("out").toString();
    String catalog = temp.resolve("catalog").toString();
    String in = CHECKPOINT.toString();

    String converted = run(release, java, "convert", "-i", in, "-o", out, "--catalog", catalog);

    assertTrue(converted.contains("\nlisted 12 tensors"), converted);
    assertEquals(expected(), shards(Path.of(out)));
    assertTrue(run(release, java, "verify", out).contains("checksums are those"), "verify");
    run(release, java, "diff", in, out);
    assertEquals(
        Launcher.run("inspect", in).out(), run(release, java, "inspect", in), "what is told");
    run(release, java, "doctor", "--checksums", in);
  }

  @ParameterizedTest
  @MethodSource("sparks")
  void sql(SparkRuntime runtime, Path java) throws Exception {
    SqlProcess sql = new SqlProcess(java.resolve("bin/java"), runtime.jars(), temp);

    List<String> rows =
        sql.run(
            "CREATE TEMPORARY VIEW t USING reweave OPTIONS (path '" + CHECKPOINT.toUri() + "')",
            "SELECT count(*) FROM t FULL JOIN reweave.`"
                + EXPECTED
                + "` e USING (name) WHERE NOT t.crc32c <=> e.crc32c",
            "DESCRIBE TABLE reweave.`" + EXPECTED + "`");

    assertEquals("0", rows.get(0));
    assertTrue(rows.stream().anyMatch(row -> row.startsWith("crc32c ")), rows::toString);
  }

  @ParameterizedTest
  @MethodSource("sparks")
  void s3(SparkRuntime runtime, Path java) throws Exception {
    try (FaultProxy proxy = FaultProxy.start(S3Server.shared());
        FileSystem store = store(proxy)) {
      converts(runtime, java, store, proxy.signedSettings());

      Path large = temp.resolve("large");
      SyntheticCheckpoint.write(large, 3, 2, SyntheticCheckpoint.llama(24_000_000), 1);
      String in = HadoopFiles.copy(large, store, "/large");
      proxy.clear();
      run(
          ReleaseFolder.of(temp.resolve("again"), runtime.jars()),
          java,
          conf(proxy.signedSettings()),
          "inspect",
          in);
      assertTrue(proxy.bytesFetched() < 3_000_000, proxy.bytesFetched() + " bytes were fetched");
    }
  }

  private static FileSystem store(FaultProxy proxy) throws Exception {
    Configuration conf = new Configuration();
    proxy.configure(conf);
    return FileSystem.newInstance(URI.create("s3a://" + S3Server.shared().newBucket()), conf);
  }

  @ParameterizedTest
  @MethodSource("sparks")
  void hdfs(SparkRuntime runtime, Path java) throws Exception {
    converts(runtime, java, TestHdfs.fileSystem(), Map.of());
  }

  private void converts(
      SparkRuntime runtime, Path java, FileSystem store, Map<String, String> settings)
      throws Exception {
    Path release = ReleaseFolder.of(temp.resolve("release"), runtime.jars());
    String folder = "/" + temp.getFileName();
    String in = HadoopFiles.copy(CHECKPOINT, store, folder + "/in");
    String out = store.getUri() + folder + "/out";
    String[] conf = conf(settings);

    run(release, java, conf, "convert", "-i", in, "-o", out, "--max-shard-size", "20KB");

    Map<String, String> made = HadoopFiles.digests(store, folder + "/out");
    made.keySet().removeIf(name -> !name.endsWith(".safetensors"));
    assertEquals(expected("--max-shard-size", "20KB"), made);
    run(release, java, conf, "verify", out);
    run(release, java, conf, "diff", in, out);
    store.delete(new org.apache.hadoop.fs.Path(folder), true);
  }

  private static String[] conf(Map<String, String> settings) {
    List<String> words = new ArrayList<>();
    settings.forEach(
        (key, value) -> words.addAll(List.of("--conf", "spark.hadoop." + key + "=" + value)));
    return words.toArray(String[]::new);
  }

  /** What this build's own Spark makes of it: the digests of all weight files. */
  private Map<String, String> expected(String... more) throws Exception {
    List<String> command = new ArrayList<>(List.of("convert", "-i", CHECKPOINT.toString()));
    Path out = temp.resolve("expected");
    command.addAll(List.of("-o", out.toString()));
    command.addAll(List.of(more));
    Launcher.Result made = Launcher.run(command.toArray(String[]::new));
    assertEquals(0, made.exitCode(), made::toString);
    return shards(out);
  }

  private static Map<String, String> shards(Path folder) throws Exception {
    Map<String, String> digests = Fixtures.digests(folder);
    digests.keySet().removeIf(name -> !name.endsWith(".safetensors"));
    return digests;
  }

  private String run(Path release, Path java, String... arguments) throws Exception {
    return run(release, java, new String[0], arguments);
  }

  /** Runs a command, which must succeed; gives what it said. */
  private String run(Path release, Path java, String[] settings, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>(List.of(release.resolve("bin/reweave").toString()));
    command.addAll(List.of(settings));
    command.addAll(List.of(arguments));
    Map<String, String> environment =
        Map.of(
            "JAVA_HOME",
            java.toString(),
            "SPARK_LOCAL_IP",
            "127.0.0.1",
            "REWEAVE_JAVA_OPTS",
            Launcher.SHORT_LIVED + " -Xshare:auto",
            "XDG_CACHE_HOME",
            Files.createDirectories(temp.resolve("cache")).toString());
    Launcher.Result result = Launcher.begin(environment, command).await();
    assertEquals(0, result.exitCode(), result::toString);
    return result.out();
  }
}
