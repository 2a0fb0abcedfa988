package dev.reweave.checkpoint.fsdp;

import java.util.ArrayList;
import java.util.List;

/**
 * Which indexes of one dimension a rank has, in the order in which it has them: each span is a
 * range of indexes of the whole tensor. Cut as {@code placement_types.py} of {@code
 * torch.distributed.tensor} (2.4 to 2.15) does, one mesh dimension after another.
 */
record Spans(List<Span> list) {
  /** More than any mesh cuts: what is above is no mesh of an honest file. */
  private static final int MOST = 1 << 14;

  /**
   * Indexes that follow each other.
   *
   * @param from the first, in the whole tensor
   */
  record Span(long from, long length) {}

  Spans {
    list = List.copyOf(list);
  }

  /** All indexes of a dimension. */
  static Spans all(long length) {
    return new Spans(length == 0 ? List.of() : List.of(new Span(0, length)));
  }

  /** How many indexes there are. */
  long length() {
    return list.stream().mapToLong(Span::length).sum();
  }

  /**
   * The share of one of several ranks, as {@code torch.chunk} gives it: all have as many as the
   * first, but for the last ones, which can have none.
   */
  Spans shard(long ranks, long rank) {
    long length = length();
    long each = length / ranks + (length % ranks == 0 ? 0 : 1);
    if (each == 0 || rank > (length - 1) / each) {
      return new Spans(List.of());
    }
    return part(rank * each, Math.min(length, rank * each + each));
  }

  /**
   * The share of one of several ranks of a dimension that others will cut before them: of each of
   * the others' parts, the share that the rank has of it.
   *
   * @param factor number of the others' parts
   * @throws IllegalArgumentException if there are too many parts
   */
  Spans strided(long factor, long ranks, long rank) {
    List<Span> spans = new ArrayList<>();
    long length = length();
    long each = length / factor + (length % factor == 0 ? 0 : 1);
    if (each > 0 && (length - 1) / each >= MOST) {
      throw new IllegalArgumentException("a dimension in " + factor + " parts");
    }
    for (long start = 0; start < length; start += each) {
      Spans share = part(start, Math.min(length, start + each)).shard(ranks, rank);
      share.list().forEach(span -> add(spans, span));
    }
    return new Spans(spans);
  }

  /** The indexes at these positions among them. */
  private Spans part(long from, long to) {
    List<Span> spans = new ArrayList<>();
    long at = 0;
    for (Span span : list) {
      long start = Math.max(from, at);
      long end = Math.min(to, at + span.length());
      if (start < end) {
        add(spans, new Span(span.from() + start - at, end - start));
      }
      at += span.length();
    }
    return new Spans(spans);
  }

  private static void add(List<Span> spans, Span next) {
    int last = spans.size() - 1;
    if (last >= 0 && spans.get(last).from() + spans.get(last).length() == next.from()) {
      spans.set(last, new Span(spans.get(last).from(), spans.get(last).length() + next.length()));
    } else {
      spans.add(next);
    }
  }
}
