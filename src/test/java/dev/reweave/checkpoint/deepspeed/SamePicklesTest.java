package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Caution;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.Preparation;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Recall;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.LocalStores;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.SyntheticOptions;
import dev.reweave.testing.ZipChecksums;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pickles of ranks are mostly the same, and are looked at once then. */
class SamePicklesTest {
  private static final int RANKS = 6;

  /** Enough that pickle and directory of a file lie far apart. */
  private static final int PARAMETERS = 800;

  /** The length of one parameter, in two bytes; no other number in the pickle is as large. */
  private static final int LENGTH = 40_001;

  @TempDir Path temp;
  private Path step;

  /** Reads one file after another, the last one first; notes of which ones the pickle was read. */
  private static final class WatchingScanner implements MetadataScanner {
    private final Set<String> unpickled = new TreeSet<>();

    @Override
    public <T extends Serializable> List<T> scan(List<Request<T>> requests) {
      Recall recall = new Recall();
      List<T> answers = new ArrayList<>();
      for (int i = requests.size() - 1; i >= 0; i--) {
        Request<T> request = requests.get(i);
        try (RandomAccess access = Watched.open(request.file(), unpickled)) {
          answers.add(request.probe().read(access, request.index(), recall));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      Collections.reverse(answers);
      return answers;
    }
  }

  /** Notes reads of the middle of the pickle, which is at the start of a file. */
  private record Watched(RandomAccess access, long middle, Set<String> unpickled)
      implements RandomAccess {
    static Watched open(InputFile file, Set<String> unpickled) throws IOException {
      try (ZipFile zip = new ZipFile(file.location().uri().replaceFirst("^file:/*", "/"))) {
        long middle = zip.entries().nextElement().getSize() / 2;
        return new Watched(LocalStores.ALL.open(file), middle, unpickled);
      }
    }

    @Override
    public InputFile file() {
      return access.file();
    }

    @Override
    public void readFully(long position, byte[] buffer, int offset, int length) throws IOException {
      if (position <= middle && middle < position + length) {
        unpickled.add(access.file().name());
      }
      access.readFully(position, buffer, offset, length);
    }

    @Override
    public void close() throws IOException {
      access.close();
    }
  }

  @BeforeEach
  void write() throws IOException {
    List<TensorSpec> params = new ArrayList<>();
    for (int i = 0; i < PARAMETERS; i++) {
      long elements = i == PARAMETERS / 2 ? LENGTH : 10;
      params.add(new TensorSpec("layers." + i + ".weight", DType.F32, Shape.of(elements)));
    }
    SyntheticCheckpoint.write(
        temp.resolve("in"), new SyntheticOptions(3, RANKS).onDevices(2), params, 1);
    step = temp.resolve("in").resolve(SyntheticCheckpoint.TAG);
  }

  private Converting converting() {
    return Converting.between(temp.resolve("in"), temp.resolve("out"));
  }

  private Set<String> unpickled() {
    WatchingScanner scanner = new WatchingScanner();
    new Preparation(LocalStores.ALL, scanner).prepare(converting().request());
    scanner.unpickled.removeIf(name -> name.endsWith("optim_states.pt"));
    return scanner.unpickled;
  }

  private static String name(int rank) {
    return "zero_pp_rank_" + rank + "_mp_rank_00_model_states.pt";
  }

  private Path model(int rank) {
    return step.resolve(name(rank));
  }

  private static byte[] number(int value) {
    return new byte[] {'M', (byte) value, (byte) (value >> Byte.SIZE)};
  }

  /** Of the first rank more is wanted than of the others; these are on two kinds of devices. */
  @Test
  void eachPickleIsReadOnce() {
    assertEquals(Set.of(name(0), name(4), name(5)), unpickled());
  }

  @Test
  void aRankWithoutChecksumsIsReadForItself() throws IOException {
    ZipChecksums.remove(model(3));

    assertTrue(unpickled().contains(name(3)));
  }

  @Test
  void aRankThatDiffersInOneNumberIsNoticed() throws IOException {
    ZipChecksums.changePickle(model(4), number(LENGTH), number(LENGTH + 2));

    ReweaveException e = assertThrows(ReweaveException.class, () -> converting().gather());

    assertTrue(e.getMessage().contains("ranks disagree"), e::getMessage);
    assertTrue(e.getMessage().contains(name(4)), e::getMessage);
  }

  @Test
  void aRankMayDifferInWhatIsNotWanted() throws IOException {
    Path whole = Fixtures.copy(temp.resolve("in"), temp.resolve("whole"));
    byte[] key = "skipped_steps".getBytes(StandardCharsets.UTF_8);
    byte[] other = "skipped_stepz".getBytes(StandardCharsets.UTF_8);
    ZipChecksums.changePickle(model(3), key, other);

    assertTrue(unpickled().contains(name(3)));
    assertEquals(
        Converting.between(whole, temp.resolve("out")).gather().tensors(),
        converting().gather().tensors());
  }

  /** The last file is the first to be read; told is the first file that has it. */
  @Test
  void whatIsNotKnownIsToldOfTheFirstFile() throws IOException {
    byte[] key = "sub_group_size".getBytes(StandardCharsets.UTF_8);
    byte[] other = "sub_group_sort".getBytes(StandardCharsets.UTF_8);
    for (int rank = 1; rank < RANKS; rank++) {
      ZipChecksums.changePickle(model(rank), key, other);
    }
    List<Caution> cautions =
        new Preparation(LocalStores.ALL, new WatchingScanner())
            .prepare(converting().request())
            .checkpoint()
            .cautions();

    assertEquals(1, cautions.size());
    assertTrue(cautions.get(0).place().contains(name(1)));
    assertTrue(cautions.get(0).place().endsWith(" at ds_config.zero_optimization"));
  }
}
