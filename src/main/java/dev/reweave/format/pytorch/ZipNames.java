package dev.reweave.format.pytorch;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Names of the entries of a zip, as they lie in its directory, found by what they are. Who makes up
 * a file cannot make up names that meet in one place: where they go is drawn anew in each process.
 */
final class ZipNames {
  /** A prime, so that two names meet by chance alone (Carter and Wegman, 1979). */
  private static final long PRIME = (1L << 61) - 1;

  private static final long BASE = ThreadLocalRandom.current().nextLong(1L << 32, PRIME);

  /** The start of a name, up to its last slash, which most names of a file have in common. */
  private static final class Folder {
    private final byte[] bytes;
    private final int start;
    private final int length;
    private final long hash;
    private final boolean sound;

    Folder(byte[] bytes, int start, int length) {
      this.bytes = bytes;
      this.start = start;
      this.length = length;
      this.hash = hash(0, bytes, start, start + length);
      this.sound = length == 0 || (bytes[start] != '/' && !leadsOut(bytes, start, start + length));
    }

    boolean is(byte[] other, int otherStart, int otherLength) {
      return otherLength == length
          && Arrays.equals(
              bytes, start, start + length, other, otherStart, otherStart + otherLength);
    }
  }

  private final byte[] directory;
  private final int[] starts;
  private final int[] lengths;

  /** Numbers of names, from 1; 0 where none is. */
  private final int[] places;

  private int count;
  private Folder recent = new Folder(new byte[0], 0, 0);

  /**
   * @param most names that are added
   */
  ZipNames(byte[] directory, int most) {
    this.directory = directory;
    this.starts = new int[most];
    this.lengths = new int[most];
    this.places = new int[Math.max(2, Integer.highestOneBit(Math.max(1, most)) * 4)];
  }

  /** Adds a name; says whether an earlier one is the same. */
  boolean add(int start, int length) {
    int place = place(directory, start, length);
    starts[count] = start;
    lengths[count] = length;
    count++;
    if (places[place] != 0) {
      return true;
    }
    places[place] = count;
    return false;
  }

  /** Index of a name; negative if it is not there. */
  int find(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    return places[place(bytes, 0, bytes.length)] - 1;
  }

  /** The name of an index. */
  String name(int index) {
    return text(starts[index], lengths[index]);
  }

  /** A name that stands there. */
  String text(int start, int length) {
    return new String(directory, start, length, StandardCharsets.UTF_8);
  }

  /** Indexes of the names that end so, in their order. */
  List<Integer> endingIn(String end) {
    byte[] bytes = end.getBytes(StandardCharsets.UTF_8);
    List<Integer> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (lengths[i] >= bytes.length
          && same(directory, starts[i] + lengths[i] - bytes.length, bytes, 0, bytes.length)) {
        names.add(i);
      }
    }
    return names;
  }

  /**
   * Whether a name leads out of the folder into which it would be unpacked. Nothing is ever
   * unpacked to such a path here; but no writer of torch files makes one.
   */
  boolean leadsOut(int start, int length) {
    int own = ownStart(directory, start, length);
    return !folder(directory, start, own - start).sound || leadsOut(directory, own, start + length);
  }

  /** The same of the end of a name that begins behind a slash, or of a whole name. */
  private static boolean leadsOut(byte[] bytes, int start, int end) {
    int dots = 0;
    int others = 0;
    for (int i = start; i < end; i++) {
      byte next = bytes[i];
      if (next == '\\' || next == 0) {
        return true;
      }
      if (next == '/') {
        if (dots == 2 && others == 0) {
          return true;
        }
        dots = 0;
        others = 0;
      } else if (next == '.') {
        dots++;
      } else {
        others++;
      }
    }
    return dots == 2 && others == 0;
  }

  /** Where a name is, or can be put. */
  private int place(byte[] bytes, int start, int length) {
    int own = ownStart(bytes, start, length);
    long hash = hash(folder(bytes, start, own - start).hash, bytes, own, start + length);
    int at = (int) (hash % PRIME) & (places.length - 1);
    while (places[at] != 0 && !is(places[at] - 1, bytes, start, length)) {
      at = (at + 1) & (places.length - 1);
    }
    return at;
  }

  private boolean is(int index, byte[] bytes, int start, int length) {
    return lengths[index] == length && same(directory, starts[index], bytes, start, length);
  }

  /** From behind: names of one file differ there. */
  private static boolean same(byte[] one, int oneStart, byte[] other, int start, int length) {
    int i = length - 1;
    while (i >= 0 && one[oneStart + i] == other[start + i]) {
      i--;
    }
    return i < 0;
  }

  /** First byte behind the last slash. */
  private static int ownStart(byte[] bytes, int start, int length) {
    int own = start + length;
    while (own > start && bytes[own - 1] != '/') {
      own--;
    }
    return own;
  }

  private Folder folder(byte[] bytes, int start, int length) {
    if (!recent.is(bytes, start, length)) {
      recent = new Folder(bytes, start, length);
    }
    return recent;
  }

  private static long hash(long before, byte[] bytes, int start, int end) {
    long hash = times(before) + end - start;
    for (int i = start; i < end; i++) {
      hash = times(hash) + Byte.toUnsignedInt(bytes[i]);
    }
    return times(hash);
  }

  /** Modulo the prime, and hardly more than it, for what is less than twice as much. */
  private static long times(long value) {
    long low = value * BASE;
    long sum = (low & PRIME) + (Math.multiplyHigh(value, BASE) << 3 | low >>> 61);
    return (sum & PRIME) + (sum >>> 61);
  }
}
