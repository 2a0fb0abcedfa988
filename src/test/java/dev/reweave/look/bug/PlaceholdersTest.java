package dev.reweave.look.bug;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a bug report may show of a text. */
class PlaceholdersTest {
  private final Placeholders names = new Placeholders();

  @Test
  void theSameNameHasTheSamePlaceholder() {
    assertEquals(
        "s3a://<bucket-1>/<path-1>/global_step500",
        names.address("s3a://acme/alpha/global_step500"));
    assertEquals("s3a://<bucket-1>/<path-2>", names.address("s3a://acme/beta"));
    assertEquals("file:/mnt/<path-1>/<path-3>", names.address("file:/mnt/alpha/gamma"));
    assertEquals(
        "cannot read (NoSuchBucket: <bucket-1> of <path-1>): s3a://<bucket-1>/<path-1>/<path-4>.pt",
        names.text("cannot read (NoSuchBucket: acme of alpha): s3a://acme/alpha/weights of me.pt"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "latest",
        "global_step500",
        "checkpoint-17",
        "mp_rank_00_model_states.pt",
        "bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt",
        "zero_pp_rank_12_mp_rank_00optim_states.pt",
        "expp_rank_0_mp_rank_00_optim_states.pt",
        "layer_01-model_00-model_states.pt",
        "layer_0_expert_3_mp_rank_00_model_states.pt",
        "model-00001-of-00003.safetensors",
        "model.safetensors.index.json",
        "diffusion_pytorch_model.fp16.safetensors",
        "pytorch_model.bin",
        "reweave.json",
        "__0_0.distcp",
        ".metadata",
        "transformer/config.json",
        "{tag}",
      })
  void whatFrameworksCallTheirFilesStays(String path) {
    assertEquals("/tmp/" + path, names.address("/tmp/" + path));
    assertEquals("broken: " + path, names.text("broken: " + path));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hdfs://nn.acme.example:8020/a|hdfs://<host-1>:8020/<path-1>",
        "abfss://box@acme.dfs.core.windows.net/x|abfss://<bucket-1>@<host-1>/<path-1>",
        "s3a://key:secret@acme/x|s3a://***@<bucket-1>/<path-1>",
        "https://acme.example/in?sig=abc|https://<host-1>/in?***",
        "C:\\Users\\jo|<path-1>",
        "secret-model-00001-of-00002.safetensors|<path-1>-00001-of-00002.safetensors",
        "own:/box/x|<path-1>:/<path-2>/<path-3>",
      })
  void addressesOfAllKinds(String address, String shown) {
    assertEquals(shown, names.address(address));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "no route to 10.20.30.40:9000|no route to <host-1>:9000",
        "UnknownHostException: nas: not known|UnknownHostException: <host-1>: not known",
        "Connect to s3.acme.internal:443 failed|Connect to <host-1>:443 failed",
        "Lost task 0.0 (TID 3) (worker7 executor 2): lost|Lost task 0.0 (TID 3) (<host-1> executor 2): lost",
        "'reweave convert', since 2026, process 17 on node4: x|'reweave convert', since 2026, process 17 on <host-1>: x",
        "key AKIAIOSFODNN7EXAMPLE is unknown|key <credential-1> is unknown",
        "got wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab|got <credential-1>",
        "password=hunter2, go|password=<credential-1>, go",
        "'latest' names tag 'for acme', which is not there|'latest' names tag '<path-1>', which is not there",
        "choose one of [global_step1, my tag] with --tag|choose one of [global_step1, <path-1>] with --tag",
        "the output is not empty: it holds draft one and 3 more|the output is not empty: it holds <path-1> and 3 more",
        "cannot open /home/jo/My Models/x.pt (Permission denied)|cannot open /home/<path-1>/<path-2>/<path-3>.pt (Permission denied)",
        "see ~/jo/acme for it|see ~/<path-1>/<path-2> for it",
        "runs/jo/x9.pt and acme7.safetensors|runs/<path-1>/<path-2>.pt and <path-3>.safetensors",
      })
  void whatHasTheFormOfANameIsFound(String text, String shown) {
    assertEquals(shown, names.text(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tensor layers.0.mlp.weight of shape [2, 3] has no dimension 1",
        "transformer_blocks.11.attn1.to_q.weight (12)",
        "java.lang.IllegalStateException: no master answers",
        "org.apache.hadoop.fs.s3a.AWSClientIOException: it failed",
        "java.lang.NoClassDefFoundError: org/apache/hadoop/fs/s3a/S3AFileSystem",
        "\tat dev.reweave.cli.Main.run(Main.java:123)",
        "\tat java.base/java.lang.Thread.run(Thread.java:840)",
        "rank 2 is missing, of 4 data-parallel ranks",
        "run the same command again: 12.5 s, 1,234 bytes at 17:30",
        "DeepSpeed 0.19.6, ZeRO-2, 2 ranks, CRC32C 0a1b2c3d",
      })
  void allElseStays(String text) {
    names.address("s3a://acme/alpha");
    assertEquals(text, names.text(text));
  }

  @Test
  void whatIsRegisteredIsFoundAnywhere() {
    names.home("/home/jo");
    names.user("jo");
    names.host("box7");
    names.credential("s3cr3t!");
    names.credential("abc");
    names.address("/data/acme corp/run");

    assertEquals(
        "<user-1> on <host-1> (joanna, box70): x<credential-1>y <credential-2> abcd",
        names.text("jo on box7 (joanna, box70): xs3cr3t!y abc abcd"));
    assertEquals(
        "file:<home>/<path-2> and /data/<path-1>/run/latest",
        names.text("file:/home/jo/stuff and /data/acme corp/run/latest"));
    assertEquals("<user-1>'s <path-1>", names.text("jo's acme corp"));
  }

  @Test
  void longLinesAreCutBetweenNames() {
    String part = "see /data/acme of ";
    String shown = names.text(part.repeat(100_000));
    assertEquals("see /data/<path-1> of ".repeat(222) + "see …", shown);
    assertEquals(" …", names.text("acme".repeat(100_000)));
  }

  @Test
  void wordsInTensorNamesAreNoNames() {
    names.address("/data/mlp");

    assertEquals(
        List.of("layers.0.mlp.weight", "<path-1>"),
        List.of(names.text("layers.0.mlp.weight"), names.text("mlp")));
  }

  @Test
  void onlyWhatIsAFrameIsTakenForOne() {
    assertEquals(
        "at s3a://<bucket-1>/<path-1>(Main.java:1)",
        names.text("at s3a://acme/alpha(Main.java:1)"));
  }
}
