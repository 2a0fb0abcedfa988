package dev.reweave.target.mapping;

import java.util.List;
import java.util.Optional;

/** What a rule does with the tensors that it matches. */
sealed interface Action {

  /** Gives a tensor another name. */
  record Rename(Template to) implements Action {}

  /** Gives a tensor another name, under which it goes on to the rules that follow. */
  record Then(Template to) implements Action {}

  /**
   * Takes the beginning of a tensor along a dimension, as of a vocabulary that training padded.
   *
   * @param length how much is left; all where it need not be known, and is not
   */
  record Cut(Template to, int dim, Amount length) implements Action {}

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

  /**
   * Cuts a dimension into groups of the same form, and makes a tensor of the first part of each,
   * one of the second, and so on: queries, keys and values, by the group of heads that share a key.
   *
   * @param groups number of groups
   * @param sizes relative lengths of the parts of a group
   * @param unit the length that size 1 stands for, where it is to be proven
   * @param to what the parts become
   */
  record Regroup(
      int dim, Amount groups, List<Amount> sizes, Optional<Amount> unit, List<Template> to)
      implements Action {
    public Regroup {
      sizes = List.copyOf(sizes);
      to = List.copyOf(to);
    }
  }

  /**
   * Sees a dimension as several, and puts those in another order: the pairs of a rotary embedding
   * as halves, or the other way round.
   *
   * @param lengths of the dimensions that it is seen as; one may be absent, and is the rest
   * @param order which of them stands where
   */
  record Reorder(Template to, int dim, List<Optional<Amount>> lengths, List<Integer> order)
      implements Action {
    public Reorder {
      lengths = List.copyOf(lengths);
      order = List.copyOf(order);
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
   * @param part what becomes of each: a {@link Rename}, a {@link Then}, or a {@link Split} of it
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
   * @param groups how many groups each part has; the first ones of all parts follow each other,
   *     then the second ones, and so on; absent where the parts are whole
   */
  record Join(Template to, int dim, Template part, List<String> order, Optional<Amount> groups)
      implements Action {
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
