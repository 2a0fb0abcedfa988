package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.ReweaveException;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.WeightsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
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
  /** What can lie in a folder. */
  enum Piece {
    ZERO_3 {
      @Override
      void put(Path folder) throws IOException {
        Fixtures.copy(Fixtures.folder("z3_bf16_w2/ckpt"), folder);
      }
    },
    DISTRIBUTED {
      @Override
      void put(Path folder) throws IOException {
        Fixtures.copy(Fixtures.folder("dcp_plain/ckpt"), folder.resolve("step-7"));
      }
    },
    SINGLE {
      @Override
      void put(Path folder) throws IOException {
        safetensors(folder.resolve("model.safetensors"), "a", 3);
      }
    },
    HALF_PRECISION {
      @Override
      void put(Path folder) throws IOException {
        safetensors(folder.resolve("model.fp16.safetensors"), "a", 3);
      }
    },
    OTHER_STEM {
      @Override
      void put(Path folder) throws IOException {
        safetensors(folder.resolve("ema.safetensors"), "e", 4);
      }
    },
    SHARDS {
      @Override
      void put(Path folder) throws IOException {
        shards(folder);
        index(folder);
      }
    },
    SHARDS_WITHOUT_INDEX {
      @Override
      void put(Path folder) throws IOException {
        Files.createDirectories(folder);
        safetensors(folder.resolve("bare-00001-of-00002.safetensors"), "x", 2);
        safetensors(folder.resolve("bare-00002-of-00002.safetensors"), "y", 1);
      }
    },
    STALE_SHARD {
      @Override
      void put(Path folder) throws IOException {
        safetensors(folder.resolve("model-00003-of-00003.safetensors"), "z", 5);
      }
    },
    STUB {
      @Override
      void put(Path folder) throws IOException {
        safetensors(folder.resolve("adapter_model.safetensors"), "s", 6, 0);
      }
    },
    TORCH {
      @Override
      void put(Path folder) throws IOException {
        new WeightsFile()
            .floats("t0", Shape.of(2), i -> i)
            .floats("t1", Shape.of(3), i -> i)
            .write(folder.resolve("pytorch_model.bin"));
      }
    },
    STATE_DICT {
      @Override
      void put(Path folder) throws IOException {
        new WeightsFile().floats("d0", Shape.of(2), i -> i).write(folder.resolve("best.pt"));
      }
    },
    HALF_COPIED {
      @Override
      void put(Path folder) throws IOException {
        Path whole = folder.resolve("cut.safetensors");
        safetensors(whole, "h", 3);
        byte[] bytes = Files.readAllBytes(whole);
        Files.write(whole, Arrays.copyOf(bytes, bytes.length - 1));
      }
    },
    HALF_COPIED_TORCH {
      @Override
      void put(Path folder) throws IOException {
        Path whole = folder.resolve("cut.pt");
        new WeightsFile().floats("c0", Shape.of(2), i -> i).write(whole);
        byte[] bytes = Files.readAllBytes(whole);
        Files.write(whole, Arrays.copyOf(bytes, bytes.length / 2));
      }
    };

    abstract void put(Path folder) throws IOException;

    private static void shards(Path folder) throws IOException {
      safetensors(folder.resolve("model-00001-of-00002.safetensors"), "p", 2);
      safetensors(folder.resolve("model-00002-of-00002.safetensors"), "q", 1);
    }

    private static void index(Path folder) throws IOException {
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
        .read(folder.toString(), ReadOptions.defaults());
  }

  /** All tensors that a reading accounts for; of what cannot be read, none. */
  private static long total(Checkpoint checkpoint) {
    return checkpoint.tensors().size()
        + checkpoint.aliases().size()
        + checkpoint.notTaken().stream().mapToLong(n -> Math.max(0, n.tensors())).sum();
  }

  /** How many tensors there are in a piece; none if it is half copied. */
  private static long in(Piece piece) throws IOException {
    return switch (piece) {
      case SINGLE, HALF_PRECISION -> 3;
      case OTHER_STEM -> 4;
      case SHARDS, SHARDS_WITHOUT_INDEX -> 3;
      case STALE_SHARD -> 5;
      case STUB -> 6;
      case TORCH -> 2;
      case STATE_DICT -> 1;
      case HALF_COPIED, HALF_COPIED_TORCH -> 0;
      case ZERO_3, DISTRIBUTED -> {
        Path folder = Files.createTempDirectory("piece");
        piece.put(folder);
        long total = total(read(folder));
        Fixtures.remove(folder);
        yield total;
      }
    };
  }

  private static final Map<Piece, String> NAMES =
      Map.ofEntries(
          Map.entry(Piece.ZERO_3, "ZeRO"),
          Map.entry(Piece.DISTRIBUTED, "step-7"),
          Map.entry(Piece.SINGLE, "model.safetensors"),
          Map.entry(Piece.HALF_PRECISION, "model.fp16.safetensors"),
          Map.entry(Piece.OTHER_STEM, "ema.safetensors"),
          Map.entry(Piece.SHARDS, "model.safetensors.index.json"),
          Map.entry(Piece.SHARDS_WITHOUT_INDEX, "bare-0000"),
          Map.entry(Piece.STALE_SHARD, "model-00003-of-00003.safetensors"),
          Map.entry(Piece.STUB, "adapter_model.safetensors"),
          Map.entry(Piece.TORCH, "pytorch_model.bin"),
          Map.entry(Piece.STATE_DICT, "best.pt"),
          Map.entry(Piece.HALF_COPIED, "cut.safetensors"),
          Map.entry(Piece.HALF_COPIED_TORCH, "cut.pt"));

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
      in += in(piece);
    }
    try {
      Checkpoint checkpoint = read(folder);

      assertEquals(in, total(checkpoint), () -> pieces + " gave " + checkpoint.remarks());
      for (Piece piece : pieces) {
        assertTrue(isNamed(NAMES.get(piece), checkpoint), () -> piece + ": " + checkpoint);
      }
    } catch (ReweaveException e) {
      boolean refused =
          e.problem().startsWith("there are several models here: ")
              ? Stream.of(Piece.SINGLE, Piece.SHARDS, Piece.OTHER_STEM, Piece.HALF_COPIED)
                  .filter(pieces::contains)
                  .allMatch(p -> e.problem().contains(NAMES.get(p)))
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
