package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.testing.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;
import picocli.CommandLine;

/** The scripts that submit to a cluster: what they would run, word for word. */
class SubmitScriptsTest {
  private static final Path HOME = Path.of("").toAbsolutePath();
  private static final String JAR = HOME + "/target/reweave.jar";
  private static final String S3_JAR = "s3://jars/reweave.jar";

  /** What a shell, JSON or a careless script would spoil. */
  private static final List<String> ARGUMENTS =
      List.of(
          "convert",
          "--input",
          "s3a://training/run 17/it's \"one\"",
          "--output",
          "s3a://models/$HOME/*/\\n/ä",
          "--only",
          "",
          "--dry-run");

  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "REWEAVE_IMAGE", "registry.example.com/reweave:1",
          "EMR_APPLICATION", "00f1",
          "EMR_ROLE", "arn:aws:iam::1:role/r",
          "DATAPROC_CLUSTER", "big",
          "DATAPROC_REGION", "europe-west1",
          "SPARK_HOME", "");

  @TempDir Path temp;

  static Stream<Path> scripts() throws IOException {
    return files("submit", "reweave", "bench", "soak", ".sh");
  }

  static Stream<Path> settingsFiles() throws IOException {
    return files("conf", ".conf");
  }

  private static Stream<Path> files(String folder, String... ends) throws IOException {
    try (Stream<Path> files = Files.list(HOME.resolve(folder))) {
      return files
          .filter(f -> Stream.of(ends).anyMatch(end -> f.toString().endsWith(end)))
          .sorted()
          .toList()
          .stream();
    }
  }

  private static Launcher.Result run(Map<String, String> environment, List<String> command)
      throws Exception {
    return Launcher.begin(environment, command).await();
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void everyScriptParses(Path script) throws Exception {
    Launcher.Result parsed = run(Map.of(), List.of("bash", "-n", script.toString()));
    assertEquals(new Launcher.Result(0, "", ""), parsed);
    // Where it is installed, as on many machines that run tests.
    String lint = "command -v shellcheck >/dev/null || exit 0; cd submit; shellcheck -x \"$1\"";
    Launcher.Result linted = run(Map.of(), List.of("bash", "-c", lint, "lint", script.toString()));
    assertEquals(new Launcher.Result(0, "", ""), linted);
  }

  /** The words that a script prints for a shell. */
  private static List<String> dryRun(
      String script, Map<String, String> environment, List<String> arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("submit/" + script, "--dry-run"));
    command.addAll(arguments);
    Launcher.Result printed = run(environment, command);
    assertEquals(0, printed.exitCode(), printed::toString);
    assertEquals("", printed.err());
    assertEquals(1, printed.out().lines().count(), printed::toString);
    String words = "eval \"set -- $1\"; printf '%s\\0' \"$@\"";
    Launcher.Result split =
        run(Map.of(), List.of("bash", "-c", words, "words", printed.out().strip()));
    return words(split.out());
  }

  private static List<String> words(String separated) {
    List<String> words = new ArrayList<>(List.of(separated.split("\0", -1)));
    assertEquals("", words.remove(words.size() - 1));
    return words;
  }

  private static Map<String, String> environment(String... more) {
    Map<String, String> environment = new TreeMap<>(ENVIRONMENT);
    for (int i = 0; i < more.length; i += 2) {
      environment.put(more[i], more[i + 1]);
    }
    return environment;
  }

  private static List<String> clusterConf() throws IOException {
    List<String> settings = new ArrayList<>();
    settings(HOME.resolve("conf/cluster.conf")).forEach((k, v) -> settings.add(k + "=" + v));
    return settings;
  }

  private static List<String> asOptions(List<String> settings) {
    return settings.stream().flatMap(s -> Stream.of("--conf", s)).toList();
  }

  @SafeVarargs
  @SuppressWarnings("varargs")
  private static List<String> joined(List<String>... parts) {
    return Stream.of(parts).flatMap(List::stream).toList();
  }

  private static final List<String> QUIET =
      List.of(
          "--driver-java-options",
          "-Dlog4j2.configurationFile=file:" + HOME + "/conf/log4j2-quiet.properties");

  private static List<String> sparkSubmit(String master, String mode) {
    return List.of(
        "spark-submit",
        "--master",
        master,
        "--deploy-mode",
        mode,
        "--name",
        "reweave",
        "--class",
        "dev.reweave.cli.Main");
  }

  @Test
  void standaloneRunsTheDriverHere() throws Exception {
    List<String> words =
        dryRun(
            "standalone.sh",
            environment("REWEAVE_MEMORY", "3g", "REWEAVE_JARS", "/opt/my jars/a.jar"),
            joined(
                List.of("--master", "spark://host:7077", "--conf", "spark.executor.memory=1 g"),
                ARGUMENTS));
    assertEquals(
        joined(
            sparkSubmit("spark://host:7077", "client"),
            QUIET,
            List.of("--driver-memory", "3g", "--jars", "/opt/my jars/a.jar"),
            asOptions(clusterConf()),
            List.of("--conf", "spark.executor.memory=1 g", JAR),
            ARGUMENTS),
        words);
  }

  @ParameterizedTest
  @ValueSource(strings = {"client", "cluster"})
  void yarnRunsTheDriverHereOrThere(String mode) throws Exception {
    List<String> words =
        dryRun(
            "yarn.sh", environment("REWEAVE_DEPLOY_MODE", mode, "SPARK_HOME", "/a b"), ARGUMENTS);
    List<String> submit = new ArrayList<>(sparkSubmit("yarn", mode));
    submit.set(0, "/a b/bin/spark-submit");
    assertEquals(
        joined(
            submit,
            List.of("--conf", "spark.yarn.maxAppAttempts=1"),
            mode.equals("client") ? QUIET : List.of(),
            asOptions(clusterConf()),
            List.of(JAR),
            ARGUMENTS),
        words);
  }

  @Test
  void kubernetesTakesTheJarOfTheImage() throws Exception {
    List<String> words =
        dryRun("kubernetes.sh", environment("REWEAVE_MASTER", "k8s://https://h:6443"), ARGUMENTS);
    assertEquals(
        joined(
            sparkSubmit("k8s://https://h:6443", "cluster"),
            List.of("--conf", "spark.kubernetes.container.image=registry.example.com/reweave:1"),
            asOptions(clusterConf()),
            List.of("local:///opt/reweave/reweave.jar"),
            ARGUMENTS),
        words);
  }

  @Test
  void emrServerlessGetsOneJsonDocument() throws Exception {
    List<String> words =
        dryRun(
            "emr-serverless.sh",
            environment("REWEAVE_JAR", S3_JAR, "REWEAVE_MEMORY", "3g"),
            joined(List.of("--properties-file", "conf/s3.conf"), ARGUMENTS));
    assertEquals(
        List.of(
            "aws",
            "emr-serverless",
            "start-job-run",
            "--application-id",
            "00f1",
            "--execution-role-arn",
            "arn:aws:iam::1:role/r",
            "--name",
            "reweave",
            "--job-driver"),
        words.subList(0, 10));
    assertEquals(11, words.size());
    JsonNode submit = new ObjectMapper().readTree(words.get(10)).get("sparkSubmit");
    assertEquals(S3_JAR, submit.get("entryPoint").asText());
    List<String> arguments = new ArrayList<>();
    submit.get("entryPointArguments").forEach(a -> arguments.add(a.asText()));
    assertEquals(ARGUMENTS, arguments);
    List<String> settings = new ArrayList<>(clusterConf());
    settings(HOME.resolve("conf/s3.conf")).forEach((k, v) -> settings.add(k + "=" + v));
    settings.add("spark.driver.memory=3g");
    assertEquals(
        "--class dev.reweave.cli.Main " + String.join(" ", asOptions(settings)),
        submit.get("sparkSubmitParameters").asText());
  }

  @Test
  void dataprocGetsSettingsWithASeparatorOfTheirOwn() throws Exception {
    List<String> words =
        dryRun(
            "dataproc.sh",
            environment("REWEAVE_JARS", "gs://jars/a.jar"),
            joined(List.of("--conf", "spark.a=1,2"), ARGUMENTS));
    assertEquals(
        joined(
            List.of(
                "gcloud",
                "dataproc",
                "jobs",
                "submit",
                "spark",
                "--cluster=big",
                "--region=europe-west1",
                "--class=dev.reweave.cli.Main",
                "--jars=" + JAR + ",gs://jars/a.jar",
                "--properties=^#^" + String.join("#", clusterConf()) + "#spark.a=1,2",
                "--"),
            ARGUMENTS),
        words);
  }

  /** Without {@code --dry-run} a script runs what it would print. */
  @ParameterizedTest
  @CsvSource({"kubernetes.sh,spark-submit", "emr-serverless.sh,aws", "dataproc.sh,gcloud"})
  void scriptsRunWhatTheyPrint(String script, String program) throws Exception {
    Path witness = temp.resolve(program);
    Files.writeString(witness, "#!/bin/sh\nprintf '%s\\0' " + program + " \"$@\"\nexit 7\n");
    assertTrue(witness.toFile().setExecutable(true));
    Map<String, String> environment =
        environment(
            "PATH",
            temp + ":" + System.getenv("PATH"),
            "REWEAVE_MASTER",
            "k8s://h",
            "REWEAVE_JAR",
            S3_JAR);
    Launcher.Result ran = run(environment, joined(List.of("submit/" + script, "-v"), ARGUMENTS));
    assertEquals(7, ran.exitCode(), ran::toString);
    assertEquals(dryRun(script, environment, joined(List.of("-v"), ARGUMENTS)), words(ran.out()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "standalone.sh convert; --master spark://HOST:PORT is needed",
        "standalone.sh --master yarn convert; --master spark://HOST:PORT is needed",
        "kubernetes.sh convert; --master k8s://https://HOST:PORT is needed",
        "kubernetes.sh --master k8s://h convert; REWEAVE_IMAGE is not set",
        "emr-serverless.sh convert; EMR_APPLICATION is not set",
        "dataproc.sh convert; DATAPROC_CLUSTER is not set",
        "yarn.sh; a command is needed",
        "yarn.sh --conf; --conf needs KEY=VALUE",
        "yarn.sh --conf a convert; --conf a is not KEY=VALUE",
      })
  void wrongUsageIsToldInOneLine(String command, String message) throws Exception {
    List<String> words = List.of(("submit/" + command).split(" ", -1));
    Launcher.Result failed = run(Map.of(), words);
    assertEquals(2, failed.exitCode(), failed::toString);
    assertEquals("", failed.out());
    assertTrue(failed.err().startsWith("reweave: " + message), failed::toString);
    assertEquals(1, failed.err().lines().count(), failed::toString);
  }

  @ParameterizedTest
  @CsvSource({"11.0.27", "1.8.0_452"})
  void aJavaThatCannotReadTheJarIsToldBeforeItStarts(String version) throws Exception {
    Path home = temp.toRealPath().resolve("java home");
    Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\necho started\n");
    assertTrue(java.toFile().setExecutable(true));
    Files.writeString(
        home.resolve("release"), "IMPLEMENTOR=\"V\"\nJAVA_VERSION=\"" + version + "\"\n");

    Launcher.Result failed =
        run(environment("JAVA_HOME", home.toString()), List.of("submit/reweave", "--help"));

    assertEquals(1, failed.exitCode(), failed::toString);
    assertEquals("", failed.out());
    assertEquals(
        "reweave: Java 17 or newer is needed, and "
            + java
            + " is Java \""
            + version
            + "\": set JAVA_HOME to another\n",
        failed.err());
  }

  @Test
  void whatAServiceWouldSpoilIsRefused() throws Exception {
    Map<String, String> environment = environment("REWEAVE_JAR", S3_JAR);
    Launcher.Result blanks =
        run(
            environment,
            List.of("submit/emr-serverless.sh", "--dry-run", "--conf", "a=b c", "convert"));
    assertEquals(2, blanks.exitCode(), blanks::toString);
    assertEquals("reweave: a setting with blanks or quotes: a=b c\n", blanks.err());
    Launcher.Result lines =
        run(environment, List.of("submit/emr-serverless.sh", "--dry-run", "inspect", "a\nb"));
    assertEquals(2, lines.exitCode(), lines::toString);
    assertEquals("reweave: an argument holds a control character: $'a\\nb'\n", lines.err());
    Launcher.Result signs =
        run(environment, List.of("submit/dataproc.sh", "--dry-run", "--conf", "a=#", "convert"));
    assertEquals(2, signs.exitCode(), signs::toString);
    assertEquals("reweave: a setting with the sign #: a=#\n", signs.err());
  }

  @Test
  void anExecutorOfAPodIsWhatSparkAsksFor() throws Exception {
    Path java = temp.resolve("java");
    Files.writeString(java, "#!/bin/sh\nprintf '%s\\0' \"$@\"\n");
    assertTrue(java.toFile().setExecutable(true));
    Map<String, String> environment = new TreeMap<>();
    environment.put("PATH", temp + ":" + System.getenv("PATH"));
    environment.put("JAVA_HOME", "");
    environment.put("SPARK_JAVA_OPT_0", "-Dfirst=a b");
    environment.put("SPARK_JAVA_OPT_10", "-Dthird");
    environment.put("SPARK_JAVA_OPT_2", "-Dsecond");
    environment.put("SPARK_CONF_DIR", "/opt/spark/conf");
    environment.put("SPARK_CLASSPATH", "/more");
    environment.put("SPARK_EXECUTOR_MEMORY", "512m");
    environment.put("SPARK_DRIVER_URL", "spark://CoarseGrainedScheduler@driver:7078");
    environment.put("SPARK_EXECUTOR_ID", "3");
    environment.put("SPARK_EXECUTOR_CORES", "4");
    environment.put("SPARK_APPLICATION_ID", "spark-1");
    environment.put("SPARK_EXECUTOR_POD_IP", "10.0.0.1");
    environment.put("SPARK_RESOURCE_PROFILE_ID", "0");
    environment.put("SPARK_EXECUTOR_POD_NAME", "reweave-exec-3");
    Launcher.Result ran = run(environment, List.of("submit/entrypoint.sh", "executor"));
    assertEquals("", ran.err());
    assertEquals(
        List.of(
            ("-Dfirst=a b|-Dsecond|-Dthird|-Xms512m|-Xmx512m|-cp|/more:/opt/spark/conf:"
                    + HOME
                    + "/jars/*|org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
                    + "|--driver-url|spark://CoarseGrainedScheduler@driver:7078|--executor-id|3"
                    + "|--cores|4|--app-id|spark-1|--hostname|10.0.0.1|--resourceProfileId|0"
                    + "|--podName|reweave-exec-3")
                .split("\\|")),
        words(ran.out()));
  }

  /** The jars that it takes from Spark's image must be of the Spark that it has already. */
  @Test
  void theImageHasOneSpark() throws IOException {
    List<String> lines = Files.readAllLines(HOME.resolve("submit/Dockerfile"));
    String version = org.apache.spark.package$.MODULE$.SPARK_VERSION();
    assertTrue(lines.contains("ARG SPARK_VERSION=" + version), lines::toString);
    JsonNode operator = yaml(HOME.resolve("submit/kubernetes.yaml"));
    assertEquals(version, operator.get("spec").get("sparkVersion").asText());
  }

  @Test
  void theOperatorsApplicationRunsAConversion() throws Exception {
    JsonNode yaml = yaml(HOME.resolve("submit/kubernetes.yaml"));
    assertEquals("SparkApplication", yaml.get("kind").asText());
    assertEquals("sparkoperator.k8s.io/v1beta2", yaml.get("apiVersion").asText());
    JsonNode spec = yaml.get("spec");
    assertEquals(Main.class.getName(), spec.get("mainClass").asText());
    assertEquals("local:///opt/reweave/reweave.jar", spec.get("mainApplicationFile").asText());
    assertTrue(spec.get("arguments").isArray());
    assertConverts(spec.get("arguments"));
    spec.get("sparkConf").fieldNames().forEachRemaining(KnownSettings::require);
    spec.get("hadoopConf")
        .fieldNames()
        .forEachRemaining(name -> KnownSettings.require("spark.hadoop." + name));
    // The operator takes strings alone.
    spec.get("sparkConf").forEach(value -> assertTrue(value.isTextual(), value::toString));
    spec.get("hadoopConf").forEach(value -> assertTrue(value.isTextual(), value::toString));
  }

  private static JsonNode yaml(Path file) throws IOException {
    Object content = new Yaml().load(Files.readString(file));
    return new ObjectMapper().valueToTree(content);
  }

  @Test
  void theDatabricksJobRunsAConversion() throws Exception {
    JsonNode job = new ObjectMapper().readTree(HOME.resolve("submit/databricks.json").toFile());
    JsonNode task = job.get("tasks").get(0);
    JsonNode jarTask = task.get("spark_jar_task");
    assertEquals(Main.class.getName(), jarTask.get("main_class_name").asText());
    assertConverts(jarTask.get("parameters"));
    List<String> names = new ArrayList<>();
    job.get("parameters")
        .forEach(p -> names.add("{{job.parameters." + p.get("name").asText() + "}}"));
    for (JsonNode parameter : jarTask.get("parameters")) {
      String text = parameter.asText();
      assertTrue(!text.startsWith("{{") || names.contains(text), text);
    }
    task.get("new_cluster").get("spark_conf").fieldNames().forEachRemaining(KnownSettings::require);
  }

  private static void assertConverts(JsonNode arguments) {
    List<String> words = new ArrayList<>();
    arguments.forEach(a -> words.add(a.asText()));
    CommandLine.ParseResult parsed =
        Main.commandLine(new Main(), CommandLine.defaultFactory())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .parseArgs(words.toArray(String[]::new));
    assertEquals("convert", parsed.subcommand().commandSpec().name());
    assertTrue(parsed.subcommand().hasMatchedOption("--output"));
  }

  @ParameterizedTest
  @MethodSource("settingsFiles")
  void settingsFilesNameWhatIsKnown(Path file) throws IOException {
    Map<String, String> settings = settings(file);
    assertTrue(!settings.isEmpty());
    settings.keySet().forEach(KnownSettings::require);
  }

  /** As Spark reads such a file, in its order. */
  private static Map<String, String> settings(Path file) throws IOException {
    Map<String, String> settings = new java.util.LinkedHashMap<>();
    for (String line : Files.readAllLines(file)) {
      if (!line.isBlank() && !line.startsWith("#")) {
        String[] words = line.split("\\s+", 2);
        assertEquals(2, words.length, line);
        assertEquals(null, settings.put(words[0], words[1]), line);
      }
    }
    return settings;
  }
}
