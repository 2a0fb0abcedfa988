package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.testing.Locations;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartAccessTest {
  @TempDir Path temp;

  @Test
  void readsWithinThePartAlone() throws IOException {
    Path file = Files.write(temp.resolve("a"), new byte[] {0, 1, 2, 3, 4, 5, 6, 7});
    Stores stores = new Stores(new Configuration());
    try (RandomAccess whole = stores.open(stores.file(Locations.of(file)).orElseThrow())) {
      RandomAccess part = whole.part("middle", 2, 4);
      assertEquals(4, part.file().length());
      assertEquals(whole.file().uri() + " middle", part.file().uri());
      byte[] read = new byte[4];
      part.readFully(0, read, 0, 4);
      assertArrayEquals(new byte[] {2, 3, 4, 5}, read);
      part.readFully(List.of(new ReadRange(0, read, 3, 1), new ReadRange(2, read, 0, 2)));
      assertArrayEquals(new byte[] {4, 5, 4, 2}, read);
      assertThrows(EOFException.class, () -> part.readFully(3, read, 0, 2));
      assertThrows(EOFException.class, () -> part.readFully(-1, read, 0, 2));
      assertThrows(EOFException.class, () -> part.readFully(List.of(new ReadRange(4, read, 0, 1))));
      part.close();
      whole.readFully(7, read, 0, 1);
      assertEquals(7, read[0]);
      for (long[] wrong : new long[][] {{-1, 2}, {0, -1}, {5, 4}, {9, 0}, {2, Long.MAX_VALUE}}) {
        assertThrows(IndexOutOfBoundsException.class, () -> whole.part("x", wrong[0], wrong[1]));
      }
    }
  }
}
