package dev.reweave.format.safetensors;

import java.util.Comparator;

/**
 * Order of names in Rust (by UTF-8 bytes) and in Python (by code points), which is the same.
 *
 * <p>{@link String#compareTo} differs: it compares UTF-16 units and so puts an emoji, written as a
 * pair of surrogates, before U+E000 to U+FFFF.
 */
enum CodePointOrder implements Comparator<String> {
  INSTANCE;

  @Override
  public int compare(String left, String right) {
    int common = Math.min(left.length(), right.length());
    for (int i = 0; i < common; ) {
      int l = left.codePointAt(i);
      int r = right.codePointAt(i);
      if (l != r) {
        return Integer.compare(l, r);
      }
      i += Character.charCount(l);
    }
    return Integer.compare(left.length(), right.length());
  }
}
