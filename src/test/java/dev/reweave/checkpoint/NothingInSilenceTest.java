package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.WeightsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Whatever lies in a folder: the tensors in it are those of the result and those that are told, or
 * the question which is meant names all that could be.
 */
class NothingInSilenceTest {
  /** In place of a number that reading the piece alone gives. */
  private static final int COUNTED = -1;

  /** Writes something into a folder. */
  private interface Writer {
    void put(Path folder) throws IOException;
  }

  /** What can lie in a folder. */
  enum Piece {
    ZERO_3("ZeRO", COUNTED, f -> Fixtures.copy(Fixtures.folder("z3_bf16_w2/ckpt"), f)),
    DISTRIBUTED(
        "step-7",
        COUNTED,
        f -> Fixtures.copy(Fixtures.folder("dcp_plain/ckpt"), f.resolve("step-7"))),
    SINGLE("model.safetensors", 3, f -> safetensors(f.resolve("model.safetensors"), "a", 3)),
    HALF_PRECISION(
        "model.fp16.safetensors", 3, f -> safetensors(f.resolve("model.fp16.safetensors"), "a", 3)),
    OTHER_STEM("ema.safetensors", 4, f -> safetensors(f.resolve("ema.safetensors"), "e", 4)),
    SHARDS("model.safetensors.index.json", 3, Piece::shards),
    SHARDS_WITHOUT_INDEX(
        "bare-0000",
        3,
        f -> {
          safetensors(f.resolve("bare-00001-of-00002.safetensors"), "x", 2);
          safetensors(f.resolve("bare-00002-of-00002.safetensors"), "y", 1);
        }),
    STALE_SHARD(
        "model-00003-of-00003.safetensors",
        5,
        f -> safetensors(f.resolve("model-00003-of-00003.safetensors"), "z", 5)),
    STUB(
        "adapter_model.safetensors",
        6,
        f -> safetensors(f.resolve("adapter_model.safetensors"), "s", 6, 0)),
    TORCH("pytorch_model.bin", 2, f -> torch(f.resolve("pytorch_model.bin"), 2)),
    STATE_DICT("best.pt", 1, f -> torch(f.resolve("best.pt"), 1)),
    HALF_COPIED(
        "cut.safetensors",
        0,
        f -> {
          safetensors(f.resolve("cut.safetensors"), "h", 3);
          cut(f.resolve("cut.safetensors"), 1);
        }),
    HALF_COPIED_TORCH(
        "cut.pt",
        0,
        f -> {
          torch(f.resolve("cut.pt"), 1);
          cut(f.resolve("cut.pt"), Files.size(f.resolve("cut.pt")) / 2);
        });

    /** By which it is told. */
    private final String named;

    private final int tensors;

    @SuppressWarnings("ImmutableEnumChecker") // a lambda that holds nothing
    private final Writer writer;

    /**
     * @param tensors how many are in it that can be read
     */
    Piece(String named, int tensors, Writer writer) {
      this.named = named;
      this.tensors = tensors;
      this.writer = writer;
    }

    void put(Path folder) throws IOException {
      writer.put(folder);
    }

    /** How many tensors there are in it; none if it is half copied. */
    long tensors() throws IOException {
      if (tensors != COUNTED) {
        return tensors;
      }
      Path folder = Files.createTempDirectory("piece");
      put(folder);
      long total = total(read(folder));
      Fixtures.remove(folder);
      return total;
    }

    private static void torch(Path file, int tensors) throws IOException {
      WeightsFile weights = new WeightsFile();
      for (int i = 0; i < tensors; i++) {
        weights.floats("t" + i, Shape.of(2 + i), n -> n);
      }
      weights.write(file);
    }

    /** Takes bytes off the end of a file. */
    private static void cut(Path file, long bytes) throws IOException {
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(whole, Math.toIntExact(whole.length - bytes)));
    }

    private static void shards(Path folder) throws IOException {
      safetensors(folder.resolve("model-00001-of-00002.safetensors"), "p", 2);
      safetensors(folder.resolve("model-00002-of-00002.safetensors"), "q", 1);
      Files.writeString(
          folder.resolve("model.safetensors.index.json"),
          "{\"metadata\": {\"total_size\": 12}, \"weight_map\": {"
              + "\"p0\": \"model-00001-of-00002.safetensors\","
              + "\"p1\": \"model-00001-of-00002.safetensors\","
              + "\"q0\": \"model-00002-of-00002.safetensors\"}}");
    }

    private static void safetensors(Path file, String name, int tensors) throws IOException {
      safetensors(file, name, tensors, 1);
    }

    private static void safetensors(Path file, String name, int tensors, int elements)
        throws IOException {
      StringBuilder json = new StringBuilder("{");
      for (int i = 0; i < tensors; i++) {
        json.append(i == 0 ? "" : ",")
            .append(
                "\"%s%d\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[%d,%d]}"
                    .formatted(name, i, elements, 4 * elements * i, 4 * elements * (i + 1)));
      }
      byte[] header = json.append("}").toString().getBytes(StandardCharsets.UTF_8);
      ByteBuffer bytes =
          ByteBuffer.allocate(8 + header.length + 4 * elements * tensors)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(header.length)
              .put(header);
      Files.createDirectories(file.getParent());
      Files.write(file, bytes.array());
    }
  }

  private static Checkpoint read(Path folder) {
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .read(Locations.of(folder), ReadOptions.defaults());
  }

  /** All tensors that a reading accounts for; of what cannot be read, none. */
  private static long total(Checkpoint checkpoint) {
    return checkpoint.tensors().size()
        + checkpoint.aliases().size()
        + checkpoint.notTaken().stream().mapToLong(n -> Math.max(0, n.tensors())).sum();
  }

  @Provide
  static Arbitrary<Set<Piece>> pieces() {
    return Arbitraries.of(Piece.class).set().ofMinSize(1).ofMaxSize(6);
  }

  @Property(tries = 300)
  void tensorsInAreTensorsOutAndTensorsTold(@ForAll("pieces") Set<Piece> pieces)
      throws IOException {
    Path folder = Files.createTempDirectory("pieces");
    long in = 0;
    for (Piece piece : pieces) {
      piece.put(folder);
      in += piece.tensors();
    }
    try {
      Checkpoint checkpoint = read(folder);

      assertEquals(in, total(checkpoint), () -> pieces + " gave " + checkpoint.remarks());
      for (Piece piece : pieces) {
        assertTrue(isNamed(piece.named, checkpoint), () -> piece + ": " + checkpoint);
      }
    } catch (ReweaveException e) {
      boolean refused =
          e.problem().startsWith("there are several models here: ")
              ? Stream.of(Piece.SINGLE, Piece.SHARDS, Piece.OTHER_STEM, Piece.HALF_COPIED)
                  .filter(pieces::contains)
                  .allMatch(p -> e.problem().contains(p.named))
              : pieces.stream()
                  .anyMatch(
                      p ->
                          p.name().startsWith("HALF_COPIED")
                              || p == Piece.STUB
                              || p == Piece.STALE_SHARD);
      assertTrue(refused, () -> pieces + " refused: " + e.getMessage());
    } finally {
      Fixtures.remove(folder);
    }
  }

  private static boolean isNamed(String name, Checkpoint checkpoint) {
    return checkpoint.source().text().contains(name)
        || checkpoint.files().stream().anyMatch(f -> f.uri().contains(name))
        || checkpoint.notTaken().stream().anyMatch(n -> n.name().contains(name))
        || (name.endsWith(".index.json")
            && checkpoint.files().stream().anyMatch(f -> f.name().startsWith("model-00001-of-")));
  }
}
