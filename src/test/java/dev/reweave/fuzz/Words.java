package dev.reweave.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts documents where their formats do: pickles, zips and JSON. */
final class Words {
  private static final Pattern JSON =
      Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"|[-+.0-9A-Za-z]+|\\s+|.", Pattern.DOTALL);

  /** Widths of the fields of the records of a zip, by signature. */
  private static final Map<Integer, int[]> ZIP =
      Map.of(
          0x04034b50, new int[] {4, 2, 2, 2, 4, 4, 4, 4, 2, 2},
          0x02014b50, new int[] {4, 4, 2, 2, 4, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4},
          0x06064b50, new int[] {4, 8, 4, 4, 4, 8, 8, 8, 8},
          0x07064b50, new int[] {4, 4, 8, 4},
          0x06054b50, new int[] {4, 2, 2, 2, 2, 4, 4, 2});

  private Words() {}

  /** Strings, numbers and single characters. */
  static List<byte[]> json(byte[] document) {
    List<byte[]> words = new ArrayList<>();
    Matcher word = JSON.matcher(new String(document, UTF_8));
    while (word.find()) {
      words.add(word.group().getBytes(UTF_8));
    }
    return words;
  }

  /** The fields of each record, and what lies between the records. */
  static List<byte[]> zip(byte[] file) {
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    List<byte[]> words = new ArrayList<>();
    int from = 0;
    for (int at = 0; at + 4 <= file.length; ) {
      int[] widths = ZIP.get(bytes.getInt(at));
      if (widths == null || Arrays.stream(widths).sum() > file.length - at) {
        at++;
        continue;
      }
      words.add(Arrays.copyOfRange(file, from, at));
      for (int width : widths) {
        words.add(Arrays.copyOfRange(file, at, at + width));
        at += width;
      }
      from = at;
    }
    words.add(Arrays.copyOfRange(file, from, file.length));
    return words;
  }

  /** Each opcode with its argument; behind the last of some pickles, the rest as one word. */
  static List<byte[]> pickle(byte[] document, int pickles) {
    List<byte[]> words = new ArrayList<>();
    int at = 0;
    for (int stops = 0; stops < pickles && at < document.length; ) {
      int end = Math.min(document.length, at + 1 + argumentBytes(document, at));
      words.add(Arrays.copyOfRange(document, at, end));
      stops += document[at] == '.' ? 1 : 0;
      at = end;
    }
    words.add(Arrays.copyOfRange(document, at, document.length));
    return words;
  }

  private static int argumentBytes(byte[] pickle, int at) {
    ByteBuffer argument =
        ByteBuffer.wrap(Arrays.copyOfRange(pickle, at + 1, at + 9)).order(ByteOrder.LITTLE_ENDIAN);
    return switch (Byte.toUnsignedInt(pickle[at])) {
      case 'K', 'q', 'h', 0x80, 0x82 -> 1;
      case 'M', 0x83 -> 2;
      case 'J', 'r', 'j', 0x84 -> 4;
      case 'G', 0x95 -> 8;
      case 'U', 'C', 0x8a, 0x8c -> 1 + Byte.toUnsignedInt(argument.get());
      case 'T', 'X', 'B', 0x8b -> 4 + argument.getInt();
      case 0x8d, 0x8e, 0x96 -> 8 + (int) argument.getLong();
      case 'I', 'L', 'F', 'V', 'S', 'p', 'g', 'P' -> lines(pickle, at + 1, 1);
      case 'c', 'i' -> lines(pickle, at + 1, 2);
      default -> 0;
    };
  }

  private static int lines(byte[] pickle, int from, int count) {
    int at = from;
    for (int lines = 0; lines < count && at < pickle.length; at++) {
      lines += pickle[at] == '\n' ? 1 : 0;
    }
    return at - from;
  }

  /** Opcodes that may stand anywhere in a pickle, and values that are hard to read. */
  static List<byte[]> opcodes() {
    return List.of(
            "N ( ) t ] l } d a e s u 0 1 2 R b Q o . \u0081 \u0085 \u0086 \u0087 \u0088 \u0089 \u008f"
                .split(" "),
            "\u0090 \u0091 \u0092 \u0093 \u0094 \u0097 K\0 K\u00ff M\u00ff\u00ff X\0\0\0\0 \u008a\0"
                .split(" "),
            new String[] {
              "J\u00ff\u00ff\u00ff\u00ff",
              "J\0\0\0\u0080",
              "\u008a\10\0\0\0\0\0\0\0\u0080",
              "\u008a\10\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f",
              "\u008a\11\0\0\0\0\0\0\0\0\1",
              "G\u007f\u00f8\0\0\0\0\0\0",
              "ccollections\nOrderedDict\n",
              "ctorch\nSize\n",
              "ctorch._utils\n_rebuild_tensor_v2\n",
              "ctorch\nFloatStorage\n",
              "ctorch\nfloat8_e4m3fn\n",
              "c_codecs\nencode\n",
              "cnumpy.core.multiarray\nscalar\n",
              "cm\nC\n"
            })
        .stream()
        .flatMap(Arrays::stream)
        .map(word -> word.getBytes(ISO_8859_1))
        .toList();
  }

  /** Words of JSON that are hard to read. */
  static List<byte[]> jsonValues() {
    return List.of(
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\",
            "null",
            "true",
            "-1",
            "0",
            "1",
            "1.5",
            "1e999",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "\"\"",
            "\"..\"",
            "\"\\ud800\"",
            "\"a\"",
            "\"$1\"",
            "\"${g}\"",
            "\"(?<g>.*)\"",
            "\"(a|a)*\"",
            "\"*\"",
            "[]",
            "{}",
            "2147483648")
        .stream()
        .map(word -> word.getBytes(UTF_8))
        .toList();
  }
}
