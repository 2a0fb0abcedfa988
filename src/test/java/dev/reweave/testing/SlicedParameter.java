package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.Shape;
import dev.reweave.testing.PickleWriter.Tuple;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** A random tensor, and what each of some tensor-parallel ranks has of it. */
public final class SlicedParameter {
  /** How ranks share a tensor. */
  public enum Rule {
    COLUMN,
    ROW,
    VOCABULARY,
    REPLICATED,
    AVERAGED,
    TWO_PARTS,
    UNEVEN_PARTS,
    UNEVEN_PARTS_OF_ROWS,
    PIECES,
    PIECES_OF_ROWS,
    SCALED
  }

  private static final float SCALE = 1f / 3;

  private final Rule rule;
  private final Floats whole;
  private final List<Floats> slices;
  private final List<List<Integer>> widths;
  private final Map<Object, Object> map = dict();

  private SlicedParameter(
      Rule rule, Floats whole, List<Floats> slices, List<List<Integer>> widths) {
    this.rule = rule;
    this.whole = whole;
    this.slices = slices;
    this.widths = widths;
  }

  /**
   * Makes and cuts a tensor.
   *
   * @param number of the tensor, by which it is called and its values are found
   * @param ranks by which it is shared
   * @param vocabulary without padding
   */
  public static SlicedParameter random(
      Rule rule, int number, List<Integer> dims, int ranks, int vocabulary) {
    long[] shape = dims.stream().mapToLong(d -> d).toArray();
    String name = "p" + number + "." + rule;
    SplittableRandom random = new SplittableRandom(31L * number + ranks);
    switch (rule) {
      case VOCABULARY -> {
        shape[0] = (long) ranks * ((vocabulary + ranks - 1) / ranks + random.nextInt(3));
        Floats padded = Floats.random(name, number, shape);
        List<Floats> slices = cut(padded, 0, shares((int) shape[0], ranks));
        // A single rank has nothing to put together, and so nothing is cut.
        Floats whole = ranks == 1 ? padded : padded.cut(0, 0, vocabulary);
        return new SlicedParameter(rule, whole, slices, List.of());
      }
      case REPLICATED -> {
        Floats whole = Floats.random(name, number, shape);
        return new SlicedParameter(rule, whole, Collections.nCopies(ranks, whole), List.of());
      }
      case AVERAGED -> {
        List<Floats> copies = new ArrayList<>();
        for (int r = 0; r < ranks; r++) {
          copies.add(Floats.random(name, 100L * number + r, shape));
        }
        return new SlicedParameter(rule, Floats.mean(copies), copies, List.of());
      }
      case TWO_PARTS -> {
        List<Integer> shares = shares(dims.get(0), ranks);
        shape[0] = 2L * dims.get(0);
        return parts(rule, Floats.random(name, number, shape), List.of(shares, shares));
      }
      case UNEVEN_PARTS, UNEVEN_PARTS_OF_ROWS -> {
        List<List<Integer>> widths = new ArrayList<>();
        for (int part = random.nextInt(1, 4); part > 0; part--) {
          widths.add(random.ints(ranks, 0, 4).boxed().toList());
        }
        shape[dim(rule)] = widths.stream().flatMap(List::stream).mapToInt(w -> w).sum();
        return parts(rule, Floats.random(name, number, shape), widths);
      }
      case PIECES, PIECES_OF_ROWS -> {
        // A part of one width is with all ranks.
        List<List<Integer>> widths = new ArrayList<>();
        for (int part = random.nextInt(1, 5); part > 0; part--) {
          int count = random.nextBoolean() ? 1 : ranks;
          widths.add(random.ints(count, 0, 4).boxed().toList());
        }
        shape[dim(rule)] = widths.stream().flatMap(List::stream).mapToInt(w -> w).sum();
        return pieces(rule, Floats.random(name, number, shape), widths, ranks);
      }
      case SCALED -> {
        // A single rank has nothing to put together, and what it has stays as it is.
        float scale = ranks == 1 ? 1 : SCALE;
        Floats slice = Floats.random(name, number, shape);
        SlicedParameter scaled =
            new SlicedParameter(
                rule, slice.divided(scale), Collections.nCopies(ranks, slice), List.of());
        List<Object> pieces = List.of(piece(slice.shape(), slice, 0, slice, 0, ranks, -1, scale));
        scaled.mapOf(slice.shape(), Collections.nCopies(ranks, pieces));
        return scaled;
      }
      default -> {
        Floats whole = Floats.random(name, number, shape);
        List<Integer> shares = shares((int) shape[dim(rule)], ranks);
        return new SlicedParameter(rule, whole, cut(whole, dim(rule), shares), List.of());
      }
    }
  }

  private static int dim(Rule rule) {
    return rule == Rule.ROW || rule == Rule.UNEVEN_PARTS_OF_ROWS || rule == Rule.PIECES_OF_ROWS
        ? 1
        : 0;
  }

  private static SlicedParameter pieces(
      Rule rule, Floats whole, List<List<Integer>> widths, int ranks) {
    int dim = dim(rule);
    List<Floats> slices = new ArrayList<>();
    for (int r = 0; r < ranks; r++) {
      List<Floats> held = new ArrayList<>();
      int at = 0;
      for (List<Integer> part : widths) {
        for (int i = 0; i < part.size(); i++) {
          if (part.size() < ranks || i == r) {
            held.add(whole.cut(dim, at, at + part.get(i)));
          }
          at += part.get(i);
        }
      }
      slices.add(Floats.joined(dim, held));
    }
    SlicedParameter made = new SlicedParameter(rule, whole, slices, widths);
    List<List<Object>> byRank = new ArrayList<>();
    for (int r = 0; r < ranks; r++) {
      List<Object> pieces = new ArrayList<>();
      int at = 0;
      int to = 0;
      for (List<Integer> part : widths) {
        for (int i = 0; i < part.size(); i++) {
          boolean all = part.size() < ranks;
          if (all || i == r) {
            long[] dims = whole.shape().dims();
            dims[dim] = part.get(i);
            long inner = whole.shape().rowMajorStrides()[dim];
            pieces.add(
                piece(
                    Shape.of(dims),
                    whole,
                    at * inner,
                    slices.get(r),
                    to * inner,
                    ranks,
                    all ? -1 : r,
                    1));
            to += part.get(i);
          }
          at += part.get(i);
        }
      }
      byRank.add(pieces);
    }
    made.mapOf(whole.shape(), byRank);
    return made;
  }

  /**
   * A piece as DeepSpeed writes it.
   *
   * @param holder the rank that has it; -1 for all
   */
  private static Map<Object, Object> piece(
      Shape shape,
      Floats whole,
      long from,
      Floats slice,
      long to,
      int ranks,
      int holder,
      double scale) {
    Map<Object, Object> piece =
        dict(
            "shape", numbers(shape.dims()),
            "source", List.of((int) from, numbers(whole.shape().rowMajorStrides())),
            "dest", List.of((int) to, numbers(slice.shape().rowMajorStrides())),
            "locations",
                holder >= 0 ? List.of(holder) : IntStream.range(0, ranks).boxed().toList());
    if (scale != 1) {
      piece.put("scale", scale);
    }
    return piece;
  }

  private static List<Integer> numbers(long... all) {
    return LongStream.of(all).mapToObj(Math::toIntExact).toList();
  }

  private void mapOf(Shape logical, List<? extends List<?>> pieces) {
    Map<Object, Object> ranks = dict();
    for (int r = 0; r < pieces.size(); r++) {
      ranks.put(
          r, dict("shard_shape", numbers(slices.get(r).shape().dims()), "pieces", pieces.get(r)));
    }
    map.put("logical_shape", numbers(logical.dims()));
    map.put("ranks", ranks);
  }

  /** Shares that are not the same for all where the length is odd, and can be nothing. */
  private static List<Integer> shares(int length, int ranks) {
    List<Integer> shares = new ArrayList<>();
    for (int r = 0; r < ranks; r++) {
      shares.add(length * (r + 1) / ranks - length * r / ranks);
    }
    return shares;
  }

  /** Pieces of these lengths, one after another. */
  private static List<Floats> cut(Floats tensor, int dim, List<Integer> lengths) {
    List<Floats> pieces = new ArrayList<>();
    int at = 0;
    for (int length : lengths) {
      pieces.add(tensor.cut(dim, at, at + length));
      at += length;
    }
    return pieces;
  }

  private static SlicedParameter parts(Rule rule, Floats whole, List<List<Integer>> widths) {
    List<Integer> lengths = widths.stream().map(w -> w.stream().mapToInt(x -> x).sum()).toList();
    List<List<Floats>> cut = new ArrayList<>();
    List<Floats> parts = cut(whole, dim(rule), lengths);
    for (int p = 0; p < parts.size(); p++) {
      cut.add(cut(parts.get(p), dim(rule), widths.get(p)));
    }
    List<Floats> slices = new ArrayList<>();
    for (int r = 0; r < widths.get(0).size(); r++) {
      int rank = r;
      slices.add(Floats.joined(dim(rule), cut.stream().map(part -> part.get(rank)).toList()));
    }
    return new SlicedParameter(rule, whole, slices, widths);
  }

  /** What must come back. */
  public Floats whole() {
    return whole;
  }

  /** What a rank has. */
  public Floats slice(int rank) {
    return slices.get(rank);
  }

  /** What {@code universal_checkpoint_info} says of these parameters. */
  public static Map<Object, Object> info(List<SlicedParameter> all, int vocabulary) {
    List<Object> parts = new ArrayList<>();
    Map<Object, Object> widths = dict();
    Map<Object, Object> maps = dict();
    for (SlicedParameter parameter : all) {
      if (!parameter.map.isEmpty()) {
        maps.put("^" + parameter.whole.name().replace(".", "\\.") + "$", parameter.map);
      }
      if (parameter.rule == Rule.UNEVEN_PARTS || parameter.rule == Rule.UNEVEN_PARTS_OF_ROWS) {
        String pattern = parameter.whole.name().replace(".", "\\.") + "$";
        List<Object> shape = new ArrayList<>();
        for (long dim : parameter.whole.shape().dims()) {
          shape.add((int) dim);
        }
        shape.set(dim(parameter.rule), new Tuple(sizes(parameter.widths)));
        parts.add(
            dict(
                "patterns", List.of(pattern),
                "shape", new Tuple(shape),
                "partition_dim", dim(parameter.rule)));
        widths.put(pattern, parameter.widths);
      }
    }
    return dict(
        "universal_checkpoint_version", 0.4,
        "original_vocab_size", vocabulary,
        "vocabulary_parameter_patterns", patterns(Rule.VOCABULARY),
        "tp_replicated_parameter_patterns", patterns(Rule.REPLICATED),
        "parameter_to_average_patterns", patterns(Rule.AVERAGED),
        "parameter_with_row_parallelism_patterns", patterns(Rule.ROW),
        "parameter_with_2_sub_params_cat_dim_0", patterns(Rule.TWO_PARTS),
        "parameter_with_sub_params", parts,
        "sub_param_shard_widths", widths,
        "affine_map", dict("version", 1, "params", maps));
  }

  private static List<Object> sizes(List<List<Integer>> widths) {
    List<Object> sizes = new ArrayList<>();
    widths.forEach(part -> sizes.add(part.stream().mapToInt(w -> w).sum()));
    return sizes;
  }

  private static List<String> patterns(Rule rule) {
    return List.of("p\\d+\\." + rule + "$");
  }
}
