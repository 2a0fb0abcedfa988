package dev.reweave.look.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.common.Progress;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.StorageRef;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredChecksumsTest {
  private static final int LARGE = (150 << 20) + 3;
  private static final int SMALL = 1000;

  @TempDir Path temp;

  private final Stores stores = new Stores(new Configuration());
  private final List<StorageRef> storages = new ArrayList<>();

  /** A file of zeros that the disk need not hold: a large storage, and small ones around it. */
  private InputFile file(int index) throws IOException {
    Path path = temp.resolve("file" + index);
    long at = 0;
    for (int bytes : new int[] {SMALL, 0, LARGE, SMALL}) {
      String name = index + "/" + storages.size();
      storages.add(
          new StorageRef(
              index, name, at, DType.U8, bytes, StorageRef.Endian.LITTLE, crcOfZeros(bytes)));
      at += bytes + 64;
    }
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.setLength(at);
    }
    return stores.file(stores.locate(path.toString())).orElseThrow();
  }

  private static long crcOfZeros(int bytes) {
    CRC32 crc = new CRC32();
    crc.update(new byte[bytes]);
    return crc.getValue();
  }

  private void change(int index, long position) throws IOException {
    try (RandomAccessFile bytes =
        new RandomAccessFile(temp.resolve("file" + index).toFile(), "rw")) {
      bytes.seek(position);
      bytes.write(1);
    }
  }

  @Test
  void largeAndSmallOnesOfAllFiles() throws IOException {
    List<InputFile> files = List.of(file(0), file(1));
    change(0, storages.get(2).position() + LARGE - 1);
    change(1, storages.get(4).position());
    change(1, storages.get(7).position() + SMALL);

    StoredChecksums.Outcome outcome =
        new StoredChecksums(stores, files, new Progress()).compare(storages);

    assertEquals(Set.of(storages.get(2), storages.get(4)), outcome.damaged());
    assertEquals(Map.of(), outcome.unreadable());
  }

  @Test
  void whatCannotBeReadIsToldOfItsFileAlone() throws IOException {
    List<InputFile> files = List.of(file(0), file(1));
    Files.delete(temp.resolve("file0"));
    change(1, storages.get(6).position() + (100 << 20));

    StoredChecksums.Outcome outcome =
        new StoredChecksums(stores, files, new Progress()).compare(storages);

    assertEquals(Set.of(0), outcome.unreadable().keySet());
    assertEquals(Set.of(storages.get(6)), outcome.damaged());
  }
}
