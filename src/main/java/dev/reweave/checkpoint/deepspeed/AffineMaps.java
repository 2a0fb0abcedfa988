package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.PiecedSlicing;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.SlicePiece;
import dev.reweave.tensor.Strided;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which pieces of each parameter the tensor-parallel ranks of AutoTP have: {@code
 * universal_checkpoint_info['affine_map']}, which DeepSpeed writes since 0.19.7 ({@code
 * ParamAffineMap.to_dict} of {@code deepspeed/checkpoint/affine.py}). It goes before all patterns
 * of kinds, as in {@code merge_tp_slices} of {@code ds_to_universal.py}.
 *
 * @param place where it stands, for messages
 * @param version of the map's form; 1 where there is no map
 * @param patterns of names that it has maps for
 * @param maps by pattern
 * @param unreadable by pattern, why its map makes no sense
 */
record AffineMaps(
    String place,
    long version,
    NamePatterns patterns,
    Map<String, PiecedSlicing> maps,
    Map<String, String> unreadable)
    implements Serializable {
  static final String KEY = "affine_map";
  private static final long KNOWN_VERSION = 1;

  /** Of a checkpoint that has none. */
  static final AffineMaps NONE =
      new AffineMaps("", KNOWN_VERSION, new NamePatterns(List.of(), ""), Map.of(), Map.of());

  private static final Set<String> MEMBERS =
      Set.of("shape", "source", "dest", "locations", "scale");

  /**
   * Reads maps.
   *
   * @param key of what holds them
   */
  static AffineMaps of(TorchValue info, String key) {
    Optional<TorchValue> found = info.find(key);
    if (found.isEmpty()) {
      return NONE;
    }
    TorchValue root = found.get();
    long version = root.find("version").map(TorchValue::integer).orElse(KNOWN_VERSION);
    Map<String, PiecedSlicing> maps = new LinkedHashMap<>();
    Map<String, String> unreadable = new LinkedHashMap<>();
    if (version == KNOWN_VERSION) {
      root.find("params").stream()
          .flatMap(params -> params.entries().stream())
          .forEach(e -> add(e.getKey(), e.getValue(), maps, unreadable));
    }
    Set<String> all = new LinkedHashSet<>(maps.keySet());
    all.addAll(unreadable.keySet());
    return new AffineMaps(
        root.place(), version, new NamePatterns(all, root.place()), maps, unreadable);
  }

  private static void add(
      String pattern,
      TorchValue map,
      Map<String, PiecedSlicing> maps,
      Map<String, String> unreadable) {
    try {
      maps.put(pattern, read(map));
    } catch (IllegalArgumentException | ArithmeticException e) {
      // It matters only if a name matches, and no rule of the user's is for that.
      unreadable.put(pattern, e.getMessage());
    } catch (ReweaveException e) {
      unreadable.put(pattern, e.problem());
    }
  }

  private static PiecedSlicing read(TorchValue map) {
    Map<Integer, PiecedSlicing.Share> shares = new TreeMap<>();
    for (Map.Entry<String, TorchValue> rank : map.at("ranks").entries()) {
      if (shares.put(Integer.valueOf(rank.getKey()), share(rank.getValue())) != null) {
        throw new IllegalArgumentException("rank " + rank.getKey() + " is there twice");
      }
    }
    List<PiecedSlicing.Share> inOrder = new ArrayList<>();
    shares.forEach(
        (rank, share) -> {
          if (rank != inOrder.size()) {
            throw new IllegalArgumentException("it is of ranks " + shares.keySet());
          }
          inOrder.add(share);
        });
    return new PiecedSlicing(map.at("logical_shape").shape(), inOrder);
  }

  private static PiecedSlicing.Share share(TorchValue rank) {
    return new PiecedSlicing.Share(
        rank.at("shard_shape").shape(),
        rank.at("pieces").items().stream().map(AffineMaps::piece).toList());
  }

  private static SlicePiece piece(TorchValue piece) {
    for (Map.Entry<String, TorchValue> member : piece.entries()) {
      if (!MEMBERS.contains(member.getKey())) {
        throw new IllegalArgumentException("a piece has '" + member.getKey() + "'");
      }
    }
    Shape shape = piece.at("shape").shape();
    Set<Integer> holders = new LinkedHashSet<>();
    piece.at("locations").items().forEach(r -> holders.add(Math.toIntExact(r.integer())));
    return new SlicePiece(
        strided(shape, piece.at("source")),
        strided(shape, piece.at("dest")),
        piece.find("scale").map(TorchValue::real).orElse(1.0),
        holders);
  }

  /** The first element and the strides. */
  private static Strided strided(Shape shape, TorchValue side) {
    List<TorchValue> both = side.items();
    if (both.size() != 2) {
      throw new IllegalArgumentException("a piece has " + both.size() + " numbers for a place");
    }
    return new Strided(
        shape,
        both.get(0).integer(),
        both.get(1).items().stream().map(TorchValue::integer).toList());
  }

  /** Whether there is a map for this name, or can be one that cannot be read. */
  boolean mentions(String name) {
    return version != KNOWN_VERSION || !patterns.matching(name).isEmpty();
  }

  /**
   * The pieces of a parameter; empty if there is no map for it.
   *
   * @throws ReweaveException if there is none that can be read
   */
  Optional<PiecedSlicing> pieces(String name) {
    if (version != KNOWN_VERSION) {
      throw SlicingFailures.unknownVersion(version, KEY, name, place);
    }
    Optional<String> pattern = patterns.only(name, KEY);
    pattern
        .map(unreadable::get)
        .ifPresent(
            why -> {
              throw SlicingFailures.brokenMap(name, why, place);
            });
    return pattern.map(maps::get);
  }
}
