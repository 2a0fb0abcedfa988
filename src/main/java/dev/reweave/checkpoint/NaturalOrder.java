package dev.reweave.checkpoint;

import java.math.BigInteger;
import java.util.Comparator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Orders names as people count: {@code global_step9} before {@code global_step10}. */
public final class NaturalOrder implements Comparator<String> {
  private static final Pattern PIECE = Pattern.compile("[0-9]+|[^0-9]+");

  @Override
  public int compare(String one, String other) {
    List<String> ones = pieces(one);
    List<String> others = pieces(other);
    for (int i = 0; i < Math.min(ones.size(), others.size()); i++) {
      int order = comparePieces(ones.get(i), others.get(i));
      if (order != 0) {
        return order;
      }
    }
    int longer = Integer.compare(ones.size(), others.size());
    // Names that differ in leading zeros alone are not the same.
    return longer != 0 ? longer : one.compareTo(other);
  }

  private static List<String> pieces(String name) {
    return PIECE.matcher(name).results().map(MatchResult::group).toList();
  }

  private static int comparePieces(String one, String other) {
    return isNumber(one) && isNumber(other)
        ? new BigInteger(one).compareTo(new BigInteger(other))
        : one.compareTo(other);
  }

  private static boolean isNumber(String piece) {
    return piece.charAt(0) >= '0' && piece.charAt(0) <= '9';
  }
}
