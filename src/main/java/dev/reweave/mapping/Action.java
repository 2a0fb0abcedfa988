package dev.reweave.mapping;

import java.util.List;

/** What a rule does with the tensors that it matches. */
sealed interface Action {

  /** Gives a tensor another name. */
  record Rename(Template to) implements Action {}

  /**
   * Cuts a tensor along a dimension into parts of the same length, and makes tensors of them.
   *
   * @param parts number of parts
   */
  record Split(int dim, long parts, List<Share> shares) implements Action {
    public Split {
      shares = List.copyOf(shares);
    }
  }

  /** The parts that one new tensor takes, in order. */
  record Share(Template to, List<Range> ranges) {
    public Share {
      ranges = List.copyOf(ranges);
    }
  }

  /** Neighbouring parts. */
  record Range(long from, long count) {}

  /**
   * Makes one tensor of several.
   *
   * @param part which part of it a tensor is
   * @param order the parts, as they follow each other along the dimension
   */
  record Join(Template to, int dim, Template part, List<String> order) implements Action {
    public Join {
      order = List.copyOf(order);
    }
  }

  /** Leaves a tensor out. */
  record Drop(String reason) implements Action {}
}
