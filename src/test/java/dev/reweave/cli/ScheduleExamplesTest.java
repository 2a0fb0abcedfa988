package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.convert.AskedConversion;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import picocli.CommandLine;

/** The examples for schedulers: files that these can read, with commands that there are. */
class ScheduleExamplesTest {
  private static final Path EXAMPLES = Path.of("submit/examples");

  private static void assertConvertsNewSteps(List<String> args) {
    assertEquals("convert", args.get(0));
    ConvertCommand command = new ConvertCommand();
    new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .parseArgs(args.subList(1, args.size()).toArray(String[]::new));
    AskedConversion asked = command.asked(new Stores(new Configuration()));
    assertTrue(asked.isOfSeveral());
    assertEquals("s3a://training/run-17", asked.input().uri());
    assertEquals("s3a://models/run-17/{tag}", asked.output().text());
  }

  private static Map<?, ?> at(Map<?, ?> map, String... path) {
    Map<?, ?> here = map;
    for (String name : path) {
      here = (Map<?, ?>) here.get(name);
    }
    return here;
  }

  @Test
  void theCronJob() throws IOException {
    Map<?, ?> job =
        new Yaml(new SafeConstructor(new LoaderOptions()))
            .load(Files.readString(EXAMPLES.resolve("cronjob.yaml")));

    assertEquals("batch/v1", job.get("apiVersion"));
    assertEquals("CronJob", job.get("kind"));
    assertEquals("Forbid", at(job, "spec").get("concurrencyPolicy"));
    Map<?, ?> spec = at(job, "spec", "jobTemplate", "spec");
    Map<?, ?> rule = (Map<?, ?>) ((List<?>) at(spec, "podFailurePolicy").get("rules")).get(0);
    Map<?, ?> pod = at(spec, "template", "spec");
    // Kubernetes takes rules for exit codes with this policy alone.
    assertEquals("Never", pod.get("restartPolicy"));
    Map<?, ?> container = (Map<?, ?>) ((List<?>) pod.get("containers")).get(0);
    assertEquals("FailJob", rule.get("action"));
    assertEquals(container.get("name"), at(rule, "onExitCodes").get("containerName"));
    assertEquals(List.of(CommandLine.ExitCode.USAGE), at(rule, "onExitCodes").get("values"));
    List<String> args = ((List<?>) container.get("args")).stream().map(String.class::cast).toList();
    assertEquals("--properties-file", args.get(0));
    assertTrue(Files.exists(Path.of(args.get(1).replaceFirst("/opt/reweave/", ""))));
    assertConvertsNewSteps(args.subList(2, args.size()));
  }

  @Test
  void theCrontab() throws IOException {
    List<String> lines =
        Files.readAllLines(EXAMPLES.resolve("reweave.cron")).stream()
            .filter(l -> !l.startsWith("#") && !l.matches("[A-Z_]+=.*"))
            .toList();

    assertEquals(1, lines.size());
    String line = lines.get(0);
    assertTrue(line.matches("[0-9]+ [0-9]+ \\* \\* \\* [^*%]+"), line);
    List<String> words = List.of(line.split(" ", -1));
    int launcher = words.indexOf("/opt/reweave/submit/reweave");
    assertEquals("--properties-file", words.get(launcher + 1));
    assertTrue(Files.exists(Path.of(words.get(launcher + 2).replaceFirst("/opt/reweave/", ""))));
    assertConvertsNewSteps(
        words.subList(launcher + 3, words.size()).stream()
            .filter(w -> !w.startsWith(">"))
            .toList());
  }

  @Test
  void nothingElseIsThere() throws IOException {
    Set<String> names = new TreeSet<>();
    try (var files = Files.list(EXAMPLES)) {
      files.forEach(f -> names.add(f.getFileName().toString()));
    }
    assertEquals(Set.of("cronjob.yaml", "reweave.cron"), names);
    for (String name : names) {
      assertFalse(
          Files.readString(EXAMPLES.resolve(name)).matches("(?is).*(secret|access\\.key).*"));
    }
  }
}
