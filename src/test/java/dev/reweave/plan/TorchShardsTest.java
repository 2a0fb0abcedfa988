package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Planned files of torch.save, put together as tasks would. */
class TorchShardsTest {
  private static final List<NamedTensor> MODEL =
      List.of(
          PlanSamples.tensor("embed", DType.BF16, 50, 4),
          PlanSamples.tensor("none", DType.F32, 0, 4),
          PlanSamples.tensor("norm", DType.F32, 4),
          PlanSamples.tensor("head", DType.BF16, 50, 4));

  @TempDir Path temp;

  private static ConversionPlan plan(long shardBytes, Map<String, String> aliases) {
    PlanOptions options =
        PlanOptions.DEFAULTS.withType(new TargetType.Keep()).withSizes(shardBytes, 64_000);
    return new Planner(options)
        .plan(
            ResultModel.of(PlanSamples.sources(1), MODEL, aliases, PlanSamples.names(Format.BIN)));
  }

  /** What the elements of a tensor are here. */
  private static byte[] elements(Segment.OfTensor tensor) {
    byte[] bytes = new byte[(int) tensor.length()];
    Arrays.fill(bytes, (byte) tensor.spec().name().charAt(1));
    return bytes;
  }

  private static byte[] put(PlannedFile file) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    List<Integer> crcs = new ArrayList<>();
    for (Segment segment : file.segments()) {
      assertEquals(file.position(crcs.size()), out.size());
      int crc = 0;
      if (segment instanceof Segment.Literal literal) {
        out.writeBytes(literal.bytes());
      } else if (segment instanceof Segment.OfTensor ofTensor) {
        CRC32 sum = new CRC32();
        sum.update(elements(ofTensor));
        crc = (int) sum.getValue();
        out.writeBytes(elements(ofTensor));
      } else if (segment instanceof Segment.Tail tail) {
        byte[] end = tail.bytes(crcs);
        assertEquals(tail.length(), end.length);
        out.writeBytes(end);
      }
      crcs.add(crc);
    }
    assertEquals(file.length(), out.size());
    return out.toByteArray();
  }

  /** {@link ZipFile} compares each checksum with the bytes. */
  @Test
  void aShardIsASoundZipOfItsTensors() throws IOException {
    PlannedFile file = plan(1 << 20, Map.of()).files().get(0);
    assertTrue(file.hasTail());

    Path path = Files.write(temp.resolve("pytorch_model.bin"), put(file));

    try (ZipFile zip = new ZipFile(path.toFile())) {
      assertEquals(
          List.of(400L, 0L, 16L, 400L),
          List.of(size(zip, 0), size(zip, 1), size(zip, 2), size(zip, 3)));
      for (Segment.OfTensor tensor : file.tensors()) {
        int key = MODEL.stream().map(NamedTensor::name).toList().indexOf(tensor.spec().name());
        ZipEntry entry = zip.getEntry("pytorch_model/data/" + key);
        try (InputStream in = zip.getInputStream(entry)) {
          assertArrayEquals(elements(tensor), in.readAllBytes());
        }
        CRC32 crc = new CRC32();
        crc.update(elements(tensor));
        assertEquals(crc.getValue(), entry.getCrc(), tensor.spec().name());
      }
      assertEquals(0, zip.getEntry("pytorch_model/data/1").getCrc());
    }
    assertEquals(
        List.of("embed", "norm", "head"),
        file.tensors().stream().map(t -> t.spec().name()).toList(),
        "one without elements has no bytes");
  }

  private static long size(ZipFile zip, int storage) {
    return zip.getEntry("pytorch_model/data/" + storage).getSize();
  }

  private static boolean names(PlannedFile file, String name) {
    return new String(put(file), StandardCharsets.ISO_8859_1).contains(name);
  }

  /** The entries of a shard stand in a folder of the shard's name. */
  @Test
  void aTiedNameStandsInTheShardOfItsTensor() {
    ConversionPlan plan = plan(420, Map.of("lm_head", "head", "embed_tokens", "embed"));

    assertEquals(2, plan.shards().size());
    PlannedFile first = plan.shards().get(0);
    PlannedFile second = plan.shards().get(1);
    assertTrue(names(first, "embed_tokens") && !names(first, "lm_head"));
    assertTrue(names(second, "lm_head") && !names(second, "embed_tokens"));
    assertTrue(names(first, "pytorch_model-00001-of-00002/data/0"));
    assertTrue(names(second, "pytorch_model-00002-of-00002/data/0"));
  }
}
