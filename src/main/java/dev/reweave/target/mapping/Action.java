package dev.reweave.target.mapping;

import java.util.List;
import java.util.Optional;

/** What a rule does with the tensors that it matches. */
sealed interface Action {

  /** Gives a tensor another name. */
  record Rename(Template to) implements Action {}

  /**
   * Takes the beginning of a tensor along a dimension, as of a vocabulary that training padded.
   *
   * @param length how much is left
   */
  record Cut(Template to, int dim, long length) implements Action {}

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
   * Cuts a tensor into as many parts as a dimension is long, each without the dimension.
   *
   * @param part what becomes of each: a {@link Rename}, or a {@link Split} of it
   */
  record Unstack(int dim, Action part) implements Action {
    /** The group that stands for the number of a part, from 0, in the names of what it becomes. */
    static final String INDEX = "index";
  }

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

  /**
   * Makes one tensor of several of the same shape, along a dimension that it has and they have not.
   *
   * @param index the number of a part, from 0
   * @param join how each part is made of pieces; absent where a part is one tensor
   */
  record Stack(Template to, int dim, Template index, Optional<Join> join) implements Action {}

  /** Leaves a tensor out. */
  record Drop(String reason) implements Action {}
}
