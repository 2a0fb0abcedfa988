package dev.reweave.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Known documents, cut into words, and how inputs of the fuzzer become new documents.
 *
 * <p>An input whose first byte is even holds the document itself. Any other names one of the
 * documents in its second byte, and edits of it in 5 bytes each: that way one changed byte of an
 * input is a word that is deleted, moved or replaced, where in a document it would most often be
 * damage alone.
 */
final class Documents {
  private static final int EDIT_BYTES = 5;
  private static final int MOST_EDITS = 40;
  private static final int WAYS = 3;

  /** How long scripts are at first: the fuzzer makes none that is longer than all before it. */
  private static final int SEED_EDITS = 12;

  private static final byte SWAP = 2;
  private static final int MOST_BYTES = 1 << 16;
  private static final long[] NUMBERS = {
    0, 1, -1, 2, Long.MAX_VALUE, Long.MIN_VALUE, Integer.MAX_VALUE, Integer.MIN_VALUE, 0xffffffffL
  };

  private final List<List<byte[]>> documents;
  private final List<byte[]> words;

  /**
   * @param documents each as its words
   * @param more words that may stand in a document, beside those of all documents
   */
  Documents(List<List<byte[]>> documents, List<byte[]> more) {
    this.documents = documents;
    Map<ByteBuffer, byte[]> distinct = new LinkedHashMap<>();
    more.forEach(word -> distinct.put(ByteBuffer.wrap(word), word));
    documents.forEach(d -> d.forEach(word -> distinct.put(ByteBuffer.wrap(word), word)));
    this.words = List.copyOf(distinct.values());
  }

  /** The inputs to start from: each document as it is, and with edits that change nothing. */
  List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    for (int i = 0; i < documents.size(); i++) {
      byte[] whole = joined(documents.get(i));
      byte[] raw = new byte[whole.length + 1];
      System.arraycopy(whole, 0, raw, 1, whole.length);
      seeds.add(raw);
      for (int way = 0; way < WAYS; way++) {
        byte[] edits = new byte[2 + SEED_EDITS * EDIT_BYTES];
        edits[0] = (byte) (2 * way + 1);
        edits[1] = (byte) i;
        for (int at = 2; at < edits.length; at += EDIT_BYTES) {
          edits[at] = SWAP; // the first word with itself
        }
        seeds.add(edits);
      }
    }
    return seeds;
  }

  /** Whether an input holds its document itself. */
  static boolean isWhole(byte[] input) {
    return input.length > 0 && input[0] % 2 == 0;
  }

  /** One of some ways to read the document, which the fuzzer chooses. */
  static int way(byte[] input, int ways) {
    return input.length == 0 ? 0 : Byte.toUnsignedInt(input[0]) / 2 % ways;
  }

  /** Which document an input edits. */
  int document(byte[] input) {
    return input.length < 2 ? 0 : Byte.toUnsignedInt(input[1]) % documents.size();
  }

  /** The document that an input stands for. */
  byte[] read(byte[] input) {
    return isWhole(input)
        ? Arrays.copyOfRange(input, 1, input.length)
        : edited(document(input), input, 2);
  }

  /** A document after the edits from a place of the input on. */
  byte[] edited(int document, byte[] input, int from) {
    List<byte[]> edited = new ArrayList<>(documents.get(document));
    int edits = Math.min(MOST_EDITS, (input.length - from) / EDIT_BYTES);
    for (int i = 0; i < edits && !edited.isEmpty(); i++) {
      ByteBuffer edit = ByteBuffer.wrap(input, from + i * EDIT_BYTES, EDIT_BYTES);
      apply(
          edited,
          Byte.toUnsignedInt(edit.get()),
          Short.toUnsignedInt(edit.getShort()),
          Short.toUnsignedInt(edit.getShort()));
    }
    byte[] whole = joined(edited);
    return whole.length > MOST_BYTES ? Arrays.copyOf(whole, MOST_BYTES) : whole;
  }

  private void apply(List<byte[]> edited, int kind, int where, int what) {
    int at = where % edited.size();
    int other = what % edited.size();
    byte[] word = edited.get(at);
    switch (kind % 8) {
      case 0 -> edited.remove(at);
      case 1 -> edited.add(other, word);
      case SWAP -> {
        edited.set(at, edited.get(other));
        edited.set(other, word);
      }
      case 3 -> edited.set(at, words.get(what % words.size()));
      case 4 -> edited.add(at, words.get(what % words.size()));
      case 5 -> edited.set(at, number(word, NUMBERS[what % NUMBERS.length] + (what >> 12)));
      case 6 -> edited.set(at, withByte(word, what >> 8, (byte) what));
      default -> edited.addAll(other, List.copyOf(edited.subList(at, end(edited, at))));
    }
  }

  private static int end(List<byte[]> edited, int at) {
    return Math.min(edited.size(), at + 6);
  }

  /** The last bytes of a word, up to 8, as a little-endian number. */
  private static byte[] number(byte[] word, long value) {
    byte[] changed = word.clone();
    int first = Math.max(0, word.length - Long.BYTES);
    for (int i = first; i < word.length; i++) {
      changed[i] = (byte) (value >> (8 * (i - first)));
    }
    return changed;
  }

  private static byte[] withByte(byte[] word, int at, byte value) {
    byte[] changed = word.clone();
    if (word.length > 0) {
      changed[at % word.length] = value;
    }
    return changed;
  }

  private static byte[] joined(List<byte[]> words) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    words.forEach(out::writeBytes);
    return out.toByteArray();
  }
}
