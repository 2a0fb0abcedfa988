package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.testing.ClusterJars;
import dev.reweave.testing.KubernetesApi;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.ReleaseFolder;
import dev.reweave.testing.SparkHome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What Spark's own client asks of Kubernetes when {@code submit/kubernetes.sh} calls it; no pod is
 * started: {@code mvn -P clusters verify}.
 */
@Tag("clusters")
class KubernetesIT {
  /** What a shell would spoil. */
  private static final List<String> ARGUMENTS =
      List.of(
          "convert",
          "--input",
          "s3a://training/run 17/it's \"one\"",
          "--output",
          "s3a://models/$HOME/*/\\n/ä",
          "--only",
          "");

  @TempDir Path temp;
  private KubernetesApi kubernetes;

  @BeforeEach
  void start() throws Exception {
    kubernetes = KubernetesApi.start();
  }

  @AfterEach
  void stop() throws Exception {
    kubernetes.close();
    ReleaseFolder.deleteLinks(temp);
  }

  /** Submits; gives the driver's pod as it is asked for. */
  private JsonNode driver(String... settings) throws Exception {
    Path home = SparkHome.make(temp.resolve("home"), ClusterJars.all());
    List<String> command =
        new ArrayList<>(List.of("submit/kubernetes.sh", "--master", kubernetes.master()));
    for (String setting : settings) {
      command.addAll(List.of("--conf", setting));
    }
    // Else it would wait for the end of a pod that never begins.
    command.addAll(List.of("--conf", "spark.kubernetes.submission.waitAppCompletion=false"));
    command.addAll(List.of("--conf", "spark.kubernetes.namespace=models"));
    command.addAll(ARGUMENTS);
    Map<String, String> environment =
        Map.of(
            "SPARK_HOME",
            home.toString(),
            "REWEAVE_IMAGE",
            "registry.example.com/reweave:1",
            // Of whoever runs the tests.
            "KUBECONFIG",
            temp.resolve("none").toString());

    Launcher.Result submitted = Launcher.begin(environment, command).await();

    assertEquals(0, submitted.exitCode(), submitted::toString);
    List<KubernetesApi.Wanted> pods = kubernetes.wanted("Pod");
    assertEquals(1, pods.size(), pods::toString);
    assertEquals("/api/v1/namespaces/models/pods", pods.get(0).path());
    return pods.get(0).content();
  }

  /** Runs a command whose driver is here, in a cluster that knows no pod of its name. */
  private Launcher.Result refused(String master) throws Exception {
    Path home = SparkHome.make(temp.resolve("client"), ClusterJars.all());
    List<String> command = new ArrayList<>(List.of("submit/reweave", "--master", master));
    for (String setting :
        List.of(
            "spark.kubernetes.driver.pod.name=lost",
            "spark.kubernetes.namespace=models",
            "spark.kubernetes.container.image=registry.example.com/reweave:1",
            "spark.kubernetes.trust.certificates=true",
            "spark.driver.host=127.0.0.1",
            "spark.ui.enabled=false")) {
      command.addAll(List.of("--conf", setting));
    }
    command.addAll(
        List.of("convert", "-i", "hdfs://127.0.0.1:1/run", "-o", "hdfs://127.0.0.1:1/out"));
    Map<String, String> environment =
        Map.of(
            "SPARK_HOME",
            home.toString(),
            "SPARK_LOCAL_IP",
            "127.0.0.1",
            "KUBECONFIG",
            temp.resolve("none").toString());

    Launcher.Result refused = Launcher.begin(environment, command).await();

    assertEquals(1, refused.exitCode(), refused::toString);
    return refused;
  }

  /** Spark's own words are that an external scheduler cannot be instantiated. */
  @Test
  void whatKubernetesRefusedIsTold() throws Exception {
    Launcher.Result lost = refused(kubernetes.master());

    assertTrue(
        lost.err()
            .contains(
                "reweave: Spark could not be started (External scheduler cannot be"
                    + " instantiated; SparkException: No pod was found named lost in the cluster in the"
                    + " namespace models"),
        lost::toString);
  }

  private static List<String> texts(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
  }

  private static JsonNode container(JsonNode pod, String name) {
    return StreamSupport.stream(pod.at("/spec/containers").spliterator(), false)
        .filter(container -> container.path("name").asText().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theDriverIsThePodThatTheCommandLineMeans() throws Exception {
    JsonNode pod =
        driver(
            "spark.kubernetes.authenticate.driver.serviceAccountName=weaver",
            "spark.kubernetes.driver.label.team=models");

    JsonNode container = container(pod, "spark-kubernetes-driver");
    assertEquals("registry.example.com/reweave:1", container.path("image").asText());
    assertEquals(
        Stream.concat(
                Stream.of(
                    "driver",
                    "--properties-file",
                    "/opt/spark/conf/spark.properties",
                    "--class",
                    "dev.reweave.cli.Main",
                    "local:///opt/reweave/reweave.jar"),
                ARGUMENTS.stream())
            .toList(),
        texts(container.path("args")));
    assertTrue(container.path("command").isEmpty(), container::toString);
    assertEquals("weaver", pod.at("/spec/serviceAccountName").asText());
    assertEquals("Never", pod.at("/spec/restartPolicy").asText());
    JsonNode labels = pod.at("/metadata/labels");
    assertEquals("driver", labels.path("spark-role").asText());
    assertEquals("reweave", labels.path("spark-app-name").asText());
    assertEquals("models", labels.path("team").asText());
    // 2 GB of conf/cluster.conf, and what Spark adds for all that is outside of the heap.
    assertEquals("2432Mi", container.at("/resources/limits/memory").asText());
    assertEquals("2432Mi", container.at("/resources/requests/memory").asText());
  }

  @Test
  void theDriverFindsTheSettings() throws Exception {
    driver("spark.executor.memory=3g", "spark.hadoop.fs.s3a.endpoint.region=eu-west-1");

    List<String> properties =
        kubernetes.wanted("ConfigMap").stream()
            .map(map -> map.content().at("/data/spark.properties"))
            .filter(JsonNode::isTextual)
            .flatMap(text -> text.asText().lines())
            .toList();

    for (String setting :
        List.of(
            "spark.executor.memory=3g",
            "spark.hadoop.fs.s3a.endpoint.region=eu-west-1",
            "spark.executor.cores=4",
            "spark.decommission.enabled=true",
            "spark.task.maxFailures=8",
            "spark.kubernetes.container.image=registry.example.com/reweave\\:1")) {
      assertTrue(properties.contains(setting), () -> setting + " is not in " + properties);
    }
  }

  @Test
  void whatATemplateAddsStays() throws Exception {
    Path template =
        Files.writeString(
            temp.resolve("template.yaml"),
            """
            apiVersion: v1
            kind: Pod
            spec:
              nodeSelector:
                disk: fast
              containers:
                - name: reweave
                  image: other
                  volumeMounts:
                    - name: scratch
                      mountPath: /scratch
                - name: beside
                  image: proxy:1
              volumes:
                - name: scratch
                  emptyDir: {}
            """);

    JsonNode pod =
        driver(
            "spark.kubernetes.driver.podTemplateFile=" + template,
            "spark.kubernetes.driver.podTemplateContainerName=reweave");

    assertEquals("fast", pod.at("/spec/nodeSelector/disk").asText());
    assertEquals("proxy:1", container(pod, "beside").path("image").asText());
    JsonNode container = container(pod, "reweave");
    assertEquals("registry.example.com/reweave:1", container.path("image").asText());
    assertTrue(texts(container.path("args")).contains("dev.reweave.cli.Main"));
    assertTrue(container.path("volumeMounts").toString().contains("/scratch"));
  }
}
