package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.hadoop.util.CrcComposer;
import org.apache.hadoop.util.DataChecksum;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ChecksumTest {
  @ParameterizedTest
  @EnumSource
  void partsSumUpInAnyOrder(Checksum checksum) {
    Random random = new Random(7);
    byte[] data = new byte[100_000];
    random.nextBytes(data);
    List<Integer> shares = new ArrayList<>();
    int at = 0;
    while (at < data.length) {
      int length = Math.min(data.length - at, random.nextInt(5_000));
      shares.add(checksum.share(checksum.of(data, at, length), data.length - at - length));
      at += length;
    }
    Collections.shuffle(shares, random);

    int sum = shares.stream().reduce(0, (a, b) -> a ^ b);

    assertEquals(checksum.of(data, 0, data.length), sum);
  }

  /** Hadoop has the same for the checksums of HDFS files. */
  @ParameterizedTest
  @EnumSource
  void sharesAreThoseOfHadoop(Checksum checksum) throws IOException {
    DataChecksum.Type type =
        checksum == Checksum.CRC_32 ? DataChecksum.Type.CRC32 : DataChecksum.Type.CRC32C;
    Random random = new Random(11);
    for (int i = 0; i < 10_000; i++) {
      int crc = random.nextInt();
      long behind = random.nextLong() >>> (1 + random.nextInt(62));
      CrcComposer composer = CrcComposer.newCrcComposer(type, 1);
      composer.update(crc, 1);
      composer.update(0, behind);

      assertEquals(
          ByteBuffer.wrap(composer.digest()).getInt(),
          checksum.share(crc, behind),
          crc + " with " + behind + " bytes behind");
    }
  }

  @ParameterizedTest
  @EnumSource
  void noBytesAddNothing(Checksum checksum) {
    assertEquals(0, checksum.share(checksum.of(new byte[0], 0, 0), 1L << 40));
  }
}
