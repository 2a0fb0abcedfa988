package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a user runs it: a process of its own, from the packaged jar. */
class LauncherIT {
  private static final String GOOD = Fixtures.folder("z3_bf16_w2/ckpt").toString();

  @TempDir Path temp;

  @Test
  void demoConvertsAndVerifies() throws Exception {
    Launcher.Result demo = Launcher.run("demo", "--output", temp.toString());

    assertEquals(0, demo.exitCode(), demo::toString);
    assertTrue(demo.out().contains("ZeRO-3, 2 ranks"), demo::toString);
    assertTrue(demo.out().contains("tied   lm_head.weight = model.embed_tokens.weight"));
    assertTrue(demo.out().contains("checksums are those that were written"), demo::toString);
    assertTrue(Files.exists(temp.resolve("model/model.safetensors.index.json")));
  }

  @Test
  void convertIsQuietAndTellsWhatItDid() throws Exception {
    Launcher.Result convert =
        Launcher.run("convert", "--input", GOOD, "--output", temp.resolve("out").toString());

    assertEquals(0, convert.exitCode(), convert::toString);
    assertEquals("", convert.err());
    assertTrue(convert.out().startsWith("read   DeepSpeed 0.19.6, ZeRO-3"), convert::toString);
    assertTrue(Files.exists(temp.resolve("out/model.safetensors")));
  }

  @Test
  void aSchedulerReadsOneLineForEachStep() throws Exception {
    Path input =
        Fixtures.copy(Fixtures.folder("z2_bf16_w2_tags/ckpt"), temp.resolve("run with spaces"));
    Files.write(input.resolve("global_step3/mp_rank_00_model_states.pt"), new byte[0]);
    Launcher.Result convert =
        Launcher.run(
            "convert", "-i", input.toString(), "-o", temp + "/{tag}", "--tag", "new", "--json");

    assertEquals(1, convert.exitCode(), convert::toString);
    var json = new com.fasterxml.jackson.databind.ObjectMapper();
    StringBuilder ends = new StringBuilder();
    for (String line : convert.out().lines().toList()) {
      var end = json.readTree(line);
      ends.append(end.get("tag").asText()).append(": ").append(end.get("status").asText());
      ends.append('\n');
    }
    assertEquals(
        "global_step1: converted\nglobal_step3: failed\nmy-tag 2: converted\n", ends.toString());
    assertTrue(convert.err().contains("3 conversions: 2 converted, 0 up to date, 1 failed"));
    assertTrue(Files.exists(temp.resolve("my-tag 2/model.safetensors")));
    assertFalse(Files.exists(temp.resolve("global_step3")));
  }

  @Test
  void hadoopsOwnSettingsAreFound() throws Exception {
    Path conf = Files.createDirectories(temp.resolve("conf"));
    Files.writeString(
        conf.resolve("core-site.xml"),
        "<configuration><property><name>fs.viewfs.mounttable.lake.link./runs</name><value>"
            + Path.of(GOOD).toUri()
            + "</value></property></configuration>");
    Map<String, String> environment =
        Map.of("REWEAVE_JAVA_OPTS", Launcher.SHORT_LIVED, "HADOOP_CONF_DIR", conf.toString());

    Launcher.Result inspected = Launcher.run(environment, "inspect", "viewfs://lake/runs");

    assertEquals(0, inspected.exitCode(), inspected::toString);
    assertTrue(inspected.out().contains("DeepSpeed 0.19.6"), inspected::toString);
  }

  @Test
  void convertAddsToACatalog() throws Exception {
    String catalog = temp.resolve("catalog").toString();
    String[] command = {"convert", "-q", "-i", GOOD, "-o", temp + "/out", "--catalog", catalog};
    Files.writeString(Path.of(catalog), "no folder");
    Launcher.Result failed = Launcher.run(command);
    assertEquals(1, failed.exitCode(), failed::toString);
    assertEquals(1, failed.err().lines().count(), failed::toString);
    assertTrue(failed.err().startsWith("reweave: the model is published, but"), failed::toString);
    assertTrue(Files.exists(temp.resolve("out/model.safetensors")));

    Files.delete(Path.of(catalog));
    Launcher.Result added = Launcher.run(command);
    assertEquals(0, added.exitCode(), added::toString);
    assertEquals("", added.err());
    assertTrue(added.out().startsWith("up to date: "), added::toString);
    assertTrue(added.out().contains("\nlisted 12 tensors in file:" + catalog), added::toString);
    assertTrue(Files.isDirectory(Path.of(catalog, "model=out")));

    Launcher.Result again =
        Launcher.run("convert", "--again", temp + "/out/reweave.json", "--catalog", catalog);
    assertEquals(0, again.exitCode(), again::toString);
    assertTrue(again.out().contains("\nlisted before: file:" + catalog), again::toString);
    assertFalse(Files.exists(Path.of("spark-warehouse")));
  }

  @Test
  void failuresExitWithOneAndOneMessage() throws Exception {
    String damaged = Fixtures.folder("corrupt/z3_flipped_byte/ckpt").toString();
    Path output = temp.resolve("out");
    Launcher.Result failed = Launcher.run("convert", "-q", "-i", damaged, "-o", output.toString());

    assertEquals(1, failed.exitCode(), failed::toString);
    assertEquals(1, failed.err().lines().count(), failed::toString);
    assertTrue(failed.err().startsWith("reweave: damaged weights"), failed::toString);
    assertFalse(Files.exists(output));
  }

  /** A cluster shows the one who submitted nothing else of a driver that it has started. */
  @Test
  void onAClusterTheFailureIsTheException() throws Exception {
    Map<String, String> environment =
        Map.of("REWEAVE_JAVA_OPTS", Launcher.SHORT_LIVED + " -Dspark.submit.deployMode=cluster");

    Launcher.Result missing = Launcher.run(environment, "inspect", temp.resolve("no").toString());
    Launcher.Result wrong = Launcher.run(environment, "inspect");

    for (Launcher.Result failed : List.of(missing, wrong)) {
      assertEquals(1, failed.exitCode(), failed::toString);
    }
    String said = missing.err().lines().findFirst().orElseThrow();
    assertTrue(said.startsWith("reweave: "), missing::toString);
    assertTrue(
        missing.err().contains("IllegalStateException: " + said.substring("reweave: ".length())),
        missing::toString);
    assertTrue(
        wrong.err().contains("IllegalStateException: Missing required parameter: "),
        wrong::toString);
  }

  @Test
  void aHeapThatSparkDoesNotStartIn() throws Exception {
    String output = temp.resolve("out").toString();
    String model = temp.resolve("model").toString();
    assertEquals(0, Launcher.run("convert", "-i", GOOD, "-o", model).exitCode());
    for (String[] command :
        new String[][] {
          {"convert", "-i", GOOD, "-o", output}, {"verify", model}, {"diff", GOOD, GOOD}
        }) {
      Launcher.Result small = Launcher.run(Map.of("REWEAVE_MEMORY", "200m"), command);

      assertEquals(command[0].equals("diff") ? 2 : 1, small.exitCode(), small::toString);
      assertEquals(
          "reweave: out of memory: Spark does not start in a heap of 200 MiB: local[*]; give it more"
              + " memory: REWEAVE_MEMORY, such as 1g, on a cluster spark.driver.memory and"
              + " spark.executor.memory\n",
          small.err());
    }
    assertFalse(Files.exists(Path.of(output)));
  }

  @Test
  void diffExitsAsDiffDoes() throws Exception {
    String expected = Fixtures.folder("z3_bf16_w2/expected.safetensors").toString();
    Launcher.Result same = Launcher.run("diff", GOOD, expected);
    Launcher.Result other =
        Launcher.run("diff", GOOD, Fixtures.folder("z2_bf16_w2/ckpt").toString());

    assertEquals(0, same.exitCode(), same::toString);
    assertEquals("", same.err());
    assertTrue(same.out().contains("equal: 12 tensors"), same::toString);
    assertEquals(1, other.exitCode(), other::toString);
    assertEquals("", other.err());
    assertTrue(other.out().contains("different: "), other::toString);
    assertEquals(2, Launcher.run("diff", GOOD, temp.toString()).exitCode());
  }

  @Test
  void theVersionTellsWhatWasBuilt() throws Exception {
    Launcher.Result version = Launcher.run("--version");

    assertEquals(0, version.exitCode(), version::toString);
    assertEquals("", version.err());
    String pom = Files.readString(Path.of("pom.xml"));
    String number = pom.replaceFirst("(?s).*?<version>(.*?)</version>.*", "$1");
    String commit = "unknown commit";
    if (Files.exists(Path.of(".git"))) {
      var head = Launcher.begin(Map.of(), List.of("git", "rev-parse", "--short=12", "HEAD"));
      commit = "commit " + head.await().out().strip();
    }
    assertEquals("reweave " + number + ", " + commit + "\n", version.out());
  }

  @Test
  void verboseShowsWhereAnErrorCameFrom() throws Exception {
    Launcher.Result failed =
        Launcher.run("-v", "convert", "-i", temp + "/nowhere", "-o", temp + "/out");

    assertEquals(1, failed.exitCode(), failed::toString);
    assertTrue(failed.err().contains("\tat dev.reweave."), failed::toString);
  }

  @Test
  void wrongUsageExitsWithTwo() throws Exception {
    assertUsage("convert", "--input", GOOD);
    assertUsage("convert", "-i", GOOD, "-o", temp + "/out", "--dtype", "float99");
    assertUsage("convert", "-i", GOOD, "-o", temp + "/out", "--max-shard-size", "big");
    assertUsage("frobnicate");
    assertUsage();
    assertFalse(Files.exists(temp.resolve("out")));
  }

  private static void assertUsage(String... args) throws Exception {
    Launcher.Result result = Launcher.run(args);
    assertEquals(2, result.exitCode(), result::toString);
    assertFalse(result.err().contains("\tat "), result::toString);
  }

  @Test
  void verifyFindsDamageAndExitsWithOne() throws Exception {
    Path output = temp.resolve("out");
    Launcher.Result convert = Launcher.run("convert", "-i", GOOD, "-o", output.toString());
    assertEquals(0, convert.exitCode(), convert::toString);
    Path shard = output.resolve("model.safetensors");
    byte[] content = Files.readAllBytes(shard);
    content[content.length - 1] ^= 1;
    Files.write(shard, content);

    Launcher.Result verify = Launcher.run("verify", output.toString());

    assertEquals(1, verify.exitCode(), verify::toString);
    assertTrue(verify.err().contains("model.safetensors has CRC32C"), verify::toString);
    assertTrue(verify.err().contains("reweave: 1 problem in file:" + output), verify::toString);
  }

  @Test
  void dryRunPrintsThePlanAndWritesNothing() throws Exception {
    Path output = temp.resolve("out");
    Launcher.Result plan =
        Launcher.run("convert", "-i", GOOD, "-o", output.toString(), "--dry-run");

    assertEquals(0, plan.exitCode(), plan::toString);
    for (String word : new String[] {"tensors", "shards", "to read", "to write", "chunks"}) {
      assertTrue(plan.out().contains(word), plan::toString);
    }
    assertTrue(plan.out().contains("memory per task"), plan::toString);
    assertFalse(Files.exists(output));
  }

  @Test
  void inspectTellsWhatItIs() throws Exception {
    Launcher.Result text = Launcher.run("inspect", GOOD);
    assertEquals(0, text.exitCode(), text::toString);
    assertTrue(text.out().contains("layers.0.weight"), text::toString);

    Launcher.Result json = Launcher.run("inspect", GOOD, "--json");
    var tree = new com.fasterxml.jackson.databind.ObjectMapper().readTree(json.out());
    assertEquals("DeepSpeed", tree.get("framework").asText());
    assertEquals(3, tree.get("zeroStage").asInt());
    assertEquals(2, tree.get("worldSize").asInt());
    assertEquals("bf16", tree.get("precision").asText());
    assertEquals(12, tree.get("tensors").size());
  }

  @Test
  void theJarIsSmallAndHidesItsOneLibrary() throws IOException {
    Path jar = Path.of("target/reweave.jar");
    assertTrue(Files.size(jar) < 4_000_000, "jar of " + Files.size(jar) + " bytes");
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      assertTrue(zip.stream().noneMatch(e -> e.getName().startsWith("picocli/")));
      assertTrue(zip.stream().noneMatch(e -> e.getName().startsWith("org/")));
      assertTrue(zip.stream().noneMatch(e -> e.getName().startsWith("com/")));
    }
  }
}
