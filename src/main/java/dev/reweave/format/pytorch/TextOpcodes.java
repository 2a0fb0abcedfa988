package dev.reweave.format.pytorch;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Arguments that protocol 0 writes as lines of text, and the strings of Python 2. */
final class TextOpcodes {
  /** As in Python: reading decimal digits takes time that grows with their square. */
  private static final int MAX_DIGITS = 4300;

  private static final Pattern ESCAPE =
      Pattern.compile("\\\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))");

  private final PickleInput input;

  TextOpcodes(PickleInput input) {
    this.input = input;
  }

  /** INT: {@code 00} and {@code 01} are the truth values. */
  Object integerOrTruth() throws IOException {
    String line = input.line();
    return line.equals("00") || line.equals("01") ? (Object) line.equals("01") : integer(line);
  }

  /** LONG: digits and an L. */
  Object integer() throws IOException {
    String line = input.line();
    return integer(line.endsWith("L") ? line.substring(0, line.length() - 1) : line);
  }

  private Object integer(String digits) {
    if (digits.length() > MAX_DIGITS || !digits.matches("[+-]?[0-9]+")) {
      throw PickleFailures.malformedInteger(input);
    }
    return smallest(new BigInteger(digits));
  }

  /** The number as a Long, if it fits. */
  static Object smallest(BigInteger number) {
    return number.bitLength() < Long.SIZE ? (Object) number.longValue() : number;
  }

  /** FLOAT, which may be {@code inf} or {@code nan}. */
  double real() throws IOException {
    String line = input.line();
    return switch (line) {
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      case "nan", "-nan" -> Double.NaN;
      default -> {
        try {
          yield Double.parseDouble(line);
        } catch (NumberFormatException e) {
          throw PickleFailures.malformedNumber(input);
        }
      }
    };
  }

  /** The index of PUT and GET. */
  long index() throws IOException {
    if (integer(input.line()) instanceof Long index && index >= 0) {
      return index;
    }
    throw PickleFailures.malformedMemoIndex(input);
  }

  /** UNICODE: Latin-1 with backslash-u escapes. */
  String unicode() throws IOException {
    return unescape(input.line());
  }

  /** STRING: a quoted Python 2 literal. */
  String quoted() throws IOException {
    String line = input.line().strip();
    int last = line.length() - 1;
    if (last < 1 || line.charAt(0) != line.charAt(last) || "'\"".indexOf(line.charAt(0)) < 0) {
      throw PickleFailures.textWithoutQuotes(input);
    }
    return python2(unescape(line.substring(1, last)).getBytes(StandardCharsets.ISO_8859_1));
  }

  /** A line in UTF-8. */
  String utf8Line() throws IOException {
    return python2(input.line().getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Text of Python 2, which has no charset: UTF-8 if it can be, else Latin-1. */
  String python2(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
  }

  private String unescape(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    return ESCAPE.matcher(text).replaceAll(m -> Matcher.quoteReplacement(character(m)));
  }

  private String character(MatchResult escape) {
    for (int group = 1; group <= 3; group++) {
      if (escape.group(group) != null) {
        int codePoint = Integer.parseUnsignedInt(escape.group(group), 16);
        if (!Character.isValidCodePoint(codePoint)) {
          throw PickleFailures.textNotUnicode(input);
        }
        return Character.toString(codePoint);
      }
    }
    return switch (escape.group(4)) {
      case "n" -> "\n";
      case "r" -> "\r";
      case "t" -> "\t";
      default -> escape.group(4);
    };
  }
}
