package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PartRuleTest {
  private static final long MIB = 1 << 20;
  private static final long GIB = 1 << 30;
  private static final long TIB = 1L << 40;

  private static long parts(long fileBytes, long partBytes) {
    return (fileBytes + partBytes - 1) / partBytes;
  }

  @Test
  void partsAreAsLongAsIsWanted() {
    // A few bytes more make its six pieces alike.
    assertEquals(32 * MIB + 16, PartRule.MULTIPART.partBytes(GIB, 32 * MIB, 8));
    assertEquals(32 * MIB, PartRule.CONCATENATED.partBytes(GIB, 32 * MIB, 8));
    assertEquals(32 * MIB, PartRule.FREE.partBytes(GIB, 32 * MIB, 8));
  }

  @Test
  void aShortFileIsOnePartOfAnyLength() {
    for (PartRule rule : List.of(PartRule.MULTIPART, PartRule.CONCATENATED, PartRule.FREE)) {
      assertEquals(13, rule.partBytes(13, 32 * MIB, 8));
      assertEquals(32 * MIB, rule.partBytes(32 * MIB, 32 * MIB, 8));
    }
  }

  @Test
  void uploadsHavePartsOfFiveMebibytesAtLeast() {
    assertEquals(5 * MIB, PartRule.MULTIPART.partBytes(GIB, 1, 8));
    assertEquals(5 * MIB, PartRule.MULTIPART.partBytes(GIB, 5 * MIB - 1, 1));
    assertEquals(5 * MIB + 1, PartRule.MULTIPART.partBytes(GIB, 5 * MIB + 1, 1));
    assertEquals(MIB, PartRule.CONCATENATED.partBytes(GIB, 1, 8));
    assertEquals(1, PartRule.FREE.partBytes(GIB, 1, 1));
  }

  @Test
  void aFileHasTenThousandPartsAtMost() {
    for (PartRule rule : List.of(PartRule.MULTIPART, PartRule.CONCATENATED)) {
      assertEquals(8 * MIB, rule.partBytes(80_000 * MIB, 8 * MIB, 8));
      for (long more : new long[] {1, 7, 10_000, MIB}) {
        long fileBytes = 80_000 * MIB + more;
        long bytes = rule.partBytes(fileBytes, 8 * MIB, 8);
        assertTrue(bytes > 8 * MIB && bytes < 9 * MIB, bytes + " for " + fileBytes);
        assertTrue(parts(fileBytes, bytes) <= 10_000, bytes + " for " + fileBytes);
      }
    }
  }

  @Test
  void aFileOfATebibyteFits() {
    long bytes = PartRule.MULTIPART.partBytes(TIB, 32 * MIB, 8);

    // 2^40 / 10,000 = 109,951,162.7…
    assertEquals(109_951_168, bytes);
    assertEquals(10_000, parts(TIB, bytes));
  }

  @Test
  void lengthsAreAligned() {
    assertEquals(5 * MIB + 8, PartRule.MULTIPART.partBytes(GIB, 5 * MIB + 1, 8));
    assertEquals(5 * MIB + 8, PartRule.MULTIPART.partBytes(GIB, 5 * MIB + 8, 8));
    assertEquals(1008, PartRule.FREE.partBytes(GIB, 1001, 8));
    for (long fileBytes : new long[] {80_000 * MIB + 1, 3 * TIB + 5, 15 * TIB + 7}) {
      assertEquals(0, PartRule.MULTIPART.partBytes(fileBytes, 8 * MIB, 64) % 64);
    }
  }

  @Test
  void partsHaveALimit() {
    long most = 2047 * MIB;
    assertEquals(most, PartRule.MULTIPART.partBytes(10_000 * most, MIB, 8));
    assertThrows(
        IllegalArgumentException.class,
        () -> PartRule.MULTIPART.partBytes(10_000 * most + 1, MIB, 8));
    // More may be wanted than a store takes.
    long bytes = PartRule.MULTIPART.partBytes(8 * GIB, 6 * GIB, 8);
    assertTrue(bytes >= most && bytes < most + (1 << 12), bytes + " bytes");
    assertEquals(5 * GIB, PartRule.CONCATENATED.partBytes(8 * GIB, 9 * GIB, 8));
  }

  @Test
  void aWholeFileIsOnePartOfAnyLength() {
    for (long fileBytes : new long[] {0, 1, 13, GIB + 1, 40 * TIB + 7}) {
      assertEquals(fileBytes, PartRule.WHOLE.partBytes(fileBytes, MIB, 8));
    }
  }

  @Test
  void piecesAreAlikeAndNeitherShortNorMany() {
    long[] files = {60 * MIB, GIB, 5_000_000_000L, 80_000 * MIB + 1, TIB};
    for (long fileBytes : files) {
      for (long wanted = 5 * MIB; wanted < 70 * MIB; wanted += 333_333) {
        long part = PartRule.MULTIPART.partBytes(fileBytes, wanted, 8);
        long piece = PartRule.MULTIPART.pieceBytes(part, fileBytes);
        String what = piece + " of " + part + " of " + fileBytes;
        assertTrue(part == fileBytes || part % piece == 0, what);
        assertTrue(piece >= 5 * MIB, what);
        assertTrue(piece < Math.max(10 * MIB, 2 * (fileBytes / 10_000 + 8)), what);
        assertTrue(parts(fileBytes, piece) <= 10_000, what);
        // A short last part must find the same pieces.
        assertEquals(piece, PartRule.MULTIPART.pieceBytes(part, fileBytes));
      }
    }
  }

  /** Of parts that are multiples of 60 MiB, as a distributed checkpoint wants them. */
  @Test
  void piecesAreAlikeInPartsOfAGivenLength() {
    for (long fileBytes : new long[] {GIB, 5_000_000_000L, 80_000 * MIB + 1, TIB}) {
      for (long cells = 1; cells < 8; cells++) {
        long part = cells * 60 * MIB;
        long piece = PartRule.MULTIPART.pieceBytes(part, fileBytes);
        String what = piece + " of " + part + " of " + fileBytes;
        assertEquals(0, part % piece, what);
        assertTrue(piece >= 5 * MIB, what);
        assertTrue(parts(fileBytes, piece) <= 10_000 || part < fileBytes / 10_000, what);
      }
    }
  }

  @Test
  void aTaskHoldsSomePiecesAndNoMoreThanAPart() {
    assertEquals(0, PartRule.FREE.heldBytes(GIB, GIB));
    assertEquals(3 * MIB, PartRule.MULTIPART.heldBytes(3 * MIB, 3 * MIB));
    assertEquals(25 * MIB, PartRule.MULTIPART.heldBytes(25 * MIB, GIB));
    assertTrue(PartRule.MULTIPART.heldBytes(64 * MIB, GIB) <= 64 * MIB);
    assertTrue(PartRule.MULTIPART.heldBytes(GIB, 5 * GIB) <= 64 * MIB);
  }
}
