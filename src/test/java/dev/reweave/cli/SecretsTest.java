package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What command lines hold that nobody else may read, in messages and in bug reports. */
class SecretsTest {
  @TempDir Path temp;

  private Path file() {
    return temp.resolve("bug.json");
  }

  private ConvertRun run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
    return new ConvertRun(code, out.toString().lines().toList(), err.toString().lines().toList());
  }

  /** The report, once it is sure that no name stands in it. */
  private JsonNode report() throws IOException {
    String text = Files.readString(file());
    for (String name : List.of("johanna", "acme", "zebra", "secretdir")) {
      assertFalse(text.toLowerCase(Locale.ROOT).contains(name), name + " is in " + text);
    }
    return new ObjectMapper().readTree(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s3a://JQKEY:7jqs/jqret/x@johanna/run",
        "s3a://JQKEY:jqs3cret@johanna/run",
        "s3a:JQKEY:jq/s3cret@johanna/run",
        "hdfs://zebra:jq/s3cret@acme/run",
      })
  void keysInAddressesAreRefusedAndNotRepeated(String address) throws IOException {
    for (List<String> words :
        List.of(
            List.of("convert", "-i", address, "-o", temp.resolve("out").toString()),
            List.of("convert", "-i", "in", "--output=" + address, "-v"),
            List.of("convert", "-i", "in", "-o", "out", "--json", "--mapping", address),
            List.of("inspect", address, "-v"),
            List.of("verify", "-v", address),
            List.of("diff", "a", address),
            List.of("clean", address),
            List.of("doctor", "a", "--base", address),
            List.of("inspect", "a", "b", address))) {
      Files.deleteIfExists(file());
      List<String> all = new ArrayList<>(words);
      all.addAll(List.of("--report-bug", file().toString()));

      ConvertRun run = run(all.toArray(String[]::new));

      assertEquals(2, run.exitCode(), run::toString);
      String said = run.toString() + Files.readString(file());
      assertFalse(said.toLowerCase(Locale.ROOT).contains("jq"), said);
      assertEquals("usage", report().get("errors").get(0).get("kind").textValue());
      if (words.size() != 4 || !words.contains("b")) {
        assertTrue(
            said.contains("the address holds a key or a name, which belong elsewhere"), said);
      }
    }
  }

  @Test
  void namesThatOptionsHold() throws IOException {
    for (List<String> words :
        List.of(
            List.of("--only", "zebra\\.(a|b)", "--dtype", "keep"),
            List.of("--only=zebra"),
            List.of("--only=(zebra", "--format", "bin"),
            List.of("--tag", "zebra", "--variant", "johanna", "--base", "acme"),
            List.of("--weights-name", "zebra-model", "--component", "acme", "--base", "johanna"),
            List.of("--dtype", "zebra"),
            List.of("--shards", "acme-zebra", "--format=johanna"),
            List.of("--max-shard-size", "zebra", "--chunk-size", "acme"),
            List.of("--sample", "zebra", "--on-nonfinite", "acme", "--weights", "johanna"))) {
      Files.deleteIfExists(file());
      List<Object> all = new ArrayList<>(List.of("-i", "secretdir", "-o", temp + "/out"));
      all.addAll(words);
      all.addAll(List.of("--report-bug", file()));

      ConvertRun run = ConvertRun.of(all.toArray());

      assertTrue(run.exitCode() > 0, run::toString);
      report();
    }
  }
}
