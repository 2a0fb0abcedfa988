package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.LakeRuntime;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.ReleaseFolder;
import dev.reweave.testing.SparkRuntime;
import dev.reweave.testing.SqlProcess;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The packaged jar with those of Iceberg and of Delta, on the Sparks that these are for, in
 * processes of their own: {@code mvn -P lakes verify}.
 */
@Tag("lakes")
class LakesIT {
  private static final Path CHECKPOINT = Fixtures.folder("z2_bf16_w2_tags/ckpt");

  @TempDir Path temp;

  /** The wanted ones. */
  static Stream<LakeRuntime> lakes() {
    String wanted = System.getProperty("lakes", "");
    return LakeRuntime.ALL.stream().filter(lake -> lake.artifact().contains(wanted));
  }

  @AfterEach
  void deleteLinks() throws Exception {
    ReleaseFolder.deleteLinks(temp);
  }

  private static SparkRuntime spark(LakeRuntime lake) {
    return SparkRuntime.ALL.stream()
        .filter(runtime -> runtime.spark().equals(lake.spark()))
        .findFirst()
        .orElseThrow();
  }

  private Path folder() {
    return temp.resolve("lake");
  }

  /** Runs a command with both tables, or another one of runs. */
  private Launcher.Result convert(LakeRuntime lake, String runs, String... arguments)
      throws Exception {
    Path release = temp.resolve("release");
    if (!Files.exists(release)) {
      ReleaseFolder.of(release, spark(lake).jars());
    }
    List<String> command = new ArrayList<>(List.of(release.resolve("bin/reweave").toString()));
    lake.settings(folder()).forEach(setting -> command.addAll(List.of("--conf", setting)));
    command.add("convert");
    command.addAll(List.of("--catalog-table", lake.table(folder(), "tensors")));
    command.addAll(List.of("--runs-table", lake.table(folder(), runs)));
    command.addAll(List.of(arguments));
    Map<String, String> environment =
        Map.of(
            "REWEAVE_JARS",
            lake.jars().stream().map(Path::toString).collect(Collectors.joining(",")),
            "SPARK_LOCAL_IP",
            "127.0.0.1",
            "REWEAVE_JAVA_OPTS",
            Launcher.SHORT_LIVED + " -Xshare:auto");
    return Launcher.begin(environment, command).await();
  }

  private String converted(LakeRuntime lake, String... arguments) throws Exception {
    Launcher.Result result = convert(lake, "runs", arguments);
    assertEquals(0, result.exitCode(), result::toString);
    return result.out();
  }

  private List<String> rows(LakeRuntime lake, String... statements) throws Exception {
    List<Path> jars = new ArrayList<>(spark(lake).jars());
    jars.addAll(lake.jars());
    return new SqlProcess(SqlProcess.thisJava(), jars, temp)
        .run(lake.settings(folder()), statements);
  }

  private Path withNan() throws Exception {
    Path file = Files.createDirectories(temp.resolve("in")).resolve("model.safetensors");
    Files.copy(Fixtures.folder("z2_fp32_w1/expected.safetensors"), file);
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(bytes.capacity() - Float.BYTES, Float.NaN);
    Files.write(file, bytes.array());
    return file.getParent();
  }

  @ParameterizedTest
  @MethodSource("lakes")
  void runsAreAskedForInSql(LakeRuntime lake) throws Exception {
    String steps = temp + "/steps/{tag}";
    String in = CHECKPOINT.toString();
    String tensors = lake.table(folder(), "tensors");
    String runs = lake.table(folder(), "runs");

    converted(lake, "-i", in, "-o", steps, "--tag", "all");
    String again = converted(lake, "-i", in, "-o", steps, "--tag", "new");
    converted(lake, "-i", withNan().toString(), "-o", temp + "/with-nan");
    converted(lake, "-i", in, "-o", temp + "/other/global_step1", "--tag", "global_step1");

    assertTrue(again.contains("listed before: " + tensors), again);
    assertTrue(again.contains("listed before: " + runs), again);
    List<String> rows =
        rows(
            lake,
            "SELECT model, tag, name, std >= 0 FROM " + tensors + " WHERE nan_count > 0",
            "SELECT model, count(*), count(DISTINCT run) FROM "
                + tensors
                + " JOIN "
                + runs
                + " USING (model, run) GROUP BY model ORDER BY model",
            "SELECT model, options['dtype'], nan_count FROM "
                + runs
                + " WHERE nan_count > 0 AND started > DATE '2020-01-01'",
            lake.commits(folder(), "tensors"),
            lake.commits(folder(), "runs"));
    assertEquals(8, rows.size(), rows::toString);
    assertTrue(rows.get(0).startsWith("with-nan null "), rows::toString);
    assertTrue(rows.get(0).endsWith(" true"), rows::toString);
    assertEquals("global_step1 16 2", rows.get(1));
    assertEquals("global_step3 8 1", rows.get(2));
    assertEquals("my-tag 2 8 1", rows.get(3));
    assertTrue(rows.get(4).startsWith("with-nan "), rows::toString);
    assertEquals(List.of("with-nan float32 1", "5", "5"), rows.subList(5, 8));
  }

  /** A file with rows of several runs can be replaced by neither; Iceberg says so at the commit. */
  @ParameterizedTest
  @MethodSource("lakes")
  void tablesThatUsersMade(LakeRuntime lake) throws Exception {
    String in = CHECKPOINT.toString();
    converted(lake, "-i", in, "-o", temp + "/{tag}", "--tag", "all");
    String using = lake.format() == LakeRuntime.Format.DELTA ? " USING delta" : "";
    String mixed = lake.table(folder(), "mixed");
    String narrow = lake.table(folder(), "narrow");
    rows(
        lake,
        "CREATE TABLE "
            + mixed
            + using
            + " AS SELECT /*+ COALESCE(1) */ 'own' note, * FROM "
            + lake.table(folder(), "runs"),
        "CREATE TABLE " + narrow + using + " AS SELECT 1.5D seconds, 1 tensors");

    Launcher.Result refused = convert(lake, "narrow", "-i", in, "-o", temp + "/no");
    Launcher.Result added =
        convert(lake, "mixed", "-i", in, "-o", temp + "/more", "--tag", "global_step1");

    assertEquals(1, refused.exitCode(), refused::toString);
    assertEquals(1, refused.err().lines().count(), refused::toString);
    assertTrue(
        refused.err().startsWith("reweave: the table has not the columns for these rows: table "),
        refused::toString);
    assertTrue(refused.err().contains("; tensors is int, should be bigint; "), refused::toString);
    assertTrue(Files.notExists(temp.resolve("no")));
    assertEquals(0, added.exitCode(), added::toString);
    assertEquals(
        List.of("global_step1 own", "global_step3 own", "more null", "my-tag 2 own"),
        rows(lake, "SELECT model, note FROM " + mixed + " ORDER BY model"));
  }

  @ParameterizedTest
  @MethodSource("lakes")
  void jarsThatAreNotThere(LakeRuntime lake) throws Exception {
    List<String> command = new ArrayList<>();
    lake.settings(folder()).stream()
        .filter(setting -> setting.startsWith("spark.sql.catalog."))
        .forEach(setting -> command.addAll(List.of("--conf", setting)));
    command.addAll(List.of("convert", "-i", CHECKPOINT.toString(), "-o", temp + "/no"));
    command.addAll(List.of("--runs-table", lake.table(folder(), "runs")));

    Launcher.Result refused = Launcher.run(command.toArray(String[]::new));

    assertEquals(1, refused.exitCode(), refused::toString);
    assertEquals(1, refused.err().lines().count(), refused::toString);
    assertTrue(
        refused.err().contains("annot find catalog plugin class for catalog"), refused::toString);
    assertTrue(refused.err().contains("REWEAVE_JARS"), refused::toString);
    assertTrue(Files.notExists(temp.resolve("no")));
  }
}
