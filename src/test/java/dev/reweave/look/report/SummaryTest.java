package dev.reweave.look.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.RecordedOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is counted is told as a sentence has it, if it is one. */
class SummaryTest {
  private static List<String> result(int count) {
    return result(count, 100, 1);
  }

  /** Of bytes that were read in seconds. */
  private static List<String> result(int count, long bytes, double seconds) {
    Manifest.Shard shard = new Manifest.Shard("model.safetensors", 100, "00000000", "");
    Manifest manifest =
        new Manifest(
            "1",
            "4",
            "",
            "",
            "",
            seconds,
            new Manifest.Input("in", "", "DeepSpeed", "", 3, count, "master", List.of()),
            "out",
            new RecordedOptions(Map.of("dtype", "float32")),
            null,
            null,
            new Manifest.Result(
                count, count, List.of(shard), List.of(), "", Map.of(), List.of(), Map.of()),
            new Manifest.Proof(count, count, "the same"),
            new Manifest.Figures(
                bytes,
                bytes,
                bytes,
                count,
                count,
                count,
                count,
                List.of(new Manifest.Unchecked("why", count, count)),
                count,
                count),
            List.of(),
            List.of(),
            List.of());
    return Summary.result(manifest, List.of(), "out");
  }

  @Test
  void one() {
    assertEquals(
        List.of(
            "read   DeepSpeed, ZeRO-3, 1 rank, fp32 master weights",
            "wrote  1 tensor, 1 parameter, 100 B in 1 shard, as float32",
            "       1 file was finished by an earlier run",
            "       1.0 s, read 100 B (1.000 of what was needed) in 1 request",
            "       checksums of 1 storage verified, 1 storage could not be checked:",
            "         1 in 1 file: why",
            "       1 file of the result checked by the store as it came",
            "       1 file of the result read back: as written",
            "proof  1 tensor, 1 element: the same",
            "to     out"),
        result(1));
  }

  @Test
  void several() {
    assertEquals(
        List.of(
            "read   DeepSpeed, ZeRO-3, 2000 ranks, fp32 master weights",
            "wrote  2000 tensors, 2,000 parameters, 100 B in 1 shard, as float32",
            "       2000 files were finished by an earlier run",
            "       1.0 s, read 100 B (1.000 of what was needed) in 2000 requests",
            "       checksums of 2000 storages verified, 2000 storages could not be checked:",
            "         2000 in 2000 files: why",
            "       2000 files of the result checked by the store as they came",
            "       2000 files of the result read back: as written",
            "proof  2000 tensors, 2,000 elements: the same",
            "to     out"),
        result(2000));
  }

  @Test
  void ratesOfMuch() {
    assertTrue(
        result(30, 3_000_000_000L, 12.5)
            .contains(
                "       12.5 s, read 3 GB (1.000 of what was needed) in 30 requests, 10 per GB;"
                    + " 240 MB/s"));
  }

  @Test
  void others() {
    assertEquals(
        List.of(
            "tried  1 of 1 chunk: read 1 B, made 1 B, wrote nothing",
            "       checksums of 1 storage verified, 1 was read in part or has none"),
        Summary.trial(1, 1, 1, 1, 1, 1));
    assertEquals("listed 1 tensor in x", Summary.listed(1, "tensor", "x"));
    assertEquals(
        "good   1 shard, 1 tensor, 1 B: headers and index fit, checksums are those that were"
            + " written",
        Summary.verified(1, 1, 1, true));
  }
}
