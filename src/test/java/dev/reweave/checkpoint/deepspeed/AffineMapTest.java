package dev.reweave.checkpoint.deepspeed;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.DType;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.ModelParallelFiles;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Slices of which DeepSpeed 0.19.7 and later tell the pieces. */
class AffineMapTest extends ModelParallelFailures {
  private static final String NAME = "a.weight";

  private static List<Integer> list(Integer... numbers) {
    return Arrays.asList(numbers);
  }

  /** Rows of a matrix of two columns: so many from one on in the whole, from another in a slice. */
  private static Map<Object, Object> rows(int count, int from, int at, Integer... holders) {
    return dict(
        "shape", list(count, 2),
        "source", List.of(2 * from, list(2, 1)),
        "dest", List.of(2 * at, list(2, 1)),
        "locations", list(holders));
  }

  private static Map<Object, Object> share(int rows, Object... pieces) {
    return dict("shard_shape", list(rows, 2), "pieces", List.of(pieces));
  }

  private static Map<Object, Object> map(int rows, Object... shares) {
    Map<Object, Object> ranks = dict();
    for (int r = 0; r < shares.length; r++) {
      ranks.put(r, shares[r]);
    }
    return dict("logical_shape", list(rows, 2), "ranks", ranks);
  }

  /** Both ranks have the last two of six rows. */
  private static Map<Object, Object> fused() {
    return map(
        6,
        share(5, rows(3, 0, 0, 0), rows(2, 4, 3, 0, 1)),
        share(3, rows(1, 3, 0, 1), rows(2, 4, 1, 0, 1)));
  }

  private static Map<Object, Object> info(Object version, Object... patternsAndMaps) {
    return dict(
        "universal_checkpoint_version",
        0.4,
        "tp_replicated_parameter_patterns",
        List.of("^a\\.weight$"),
        "affine_map",
        dict("version", version, "params", dict(patternsAndMaps)));
  }

  private static final Floats WHOLE = Floats.random(NAME, 1, 6, 2);

  private static Floats part(int... bounds) {
    List<Floats> parts = new ArrayList<>();
    for (int i = 0; i < bounds.length; i += 2) {
      parts.add(WHOLE.cut(0, bounds[i], bounds[i + 1]));
    }
    return Floats.rows(parts);
  }

  private void write(Map<Object, Object> info, Floats first, Floats second) throws IOException {
    ModelParallelFiles files = files(1, 2).info(info).withoutEmptyMasters();
    files.write(0, List.of(first));
    files.write(1, List.of(second));
  }

  private void writeFused(Map<Object, Object> info) throws IOException {
    write(info, part(0, 3, 4, 6), part(3, 6));
  }

  private static Gathered requireWhole(Floats whole, Converting conversion) {
    Gathered gathered = conversion.type("float32").gather();
    assertEquals(Map.of(whole.name(), whole.described()), gathered.tensors());
    return gathered;
  }

  private Converting withRule(String rule) throws IOException {
    String json =
        "{'name': 'm', 'description': 'slices', 'tensorParallel': [{'match': 'a.weight', "
            + rule
            + "}]}";
    Path file = Files.writeString(temp.resolve("rule.json"), json.replace('\'', '"'));
    return conversion().mapping(file.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "autotp-empty-slice, MASTER",
    "autotp-empty-slice, MODEL",
    "autotp-sub-params, MASTER",
    "autotp-sub-params, MODEL"
  })
  void whatDeepSpeedSlicedComesBack(String fixture, Weights weights) throws IOException {
    Path folder = Fixtures.resource("deepspeed-0.19.8").resolve(fixture);
    Converting conversion =
        Converting.between(folder.resolve("ckpt"), temp.resolve("out"))
            .weights(weights)
            .mapping("none")
            .type("keep");

    Gathered gathered = (weights == Weights.MASTER ? conversion.proving() : conversion).gather();

    DType type = weights == Weights.MASTER ? DType.F32 : DType.BF16;
    assertEquals(
        StoredTensors.of(folder.resolve("expected.safetensors"), type), gathered.tensors());
    assertEquals(Map.of(), gathered.differences());
    assertEquals(
        weights == Weights.MASTER
            ? "cast to the type of the module, they are bit for bit its own"
            : "",
        gathered.proof().map(Manifest.Proof::verdict).orElse(""));
  }

  /** The patterns of kinds, which call the parameter replicated, would refuse the slices. */
  @Test
  void aMapGoesBeforeThePatternsOfKinds() throws IOException {
    writeFused(info(1, "^a\\.weight$", fused()));

    Gathered gathered = requireWhole(WHOLE, conversion().proving());

    assertEquals(
        "cast to the type of the module, they are bit for bit its own",
        gathered.proof().orElseThrow().verdict());
  }

  @Test
  void aPatternNeedNotSpellTheName() throws IOException {
    writeFused(info(1, "(?P<layer>[ab])\\.w", fused(), "^b\\.weight$", dict()));

    requireWhole(WHOLE, conversion());
  }

  @Test
  void aRuleOfTheUserGoesBeforeAMap() throws IOException {
    write(info(2, "^a\\.weight$", fused()), part(0, 4), part(4, 6));

    requireWhole(WHOLE, withRule("'dim': 0"));
  }

  @Test
  void copiesThatDifferAreCounted() throws IOException {
    Floats other = Floats.rows(List.of(part(3, 4), Floats.random(NAME, 2, 2, 2)));
    write(info(1, "^a\\.weight$", fused()), part(0, 3, 4, 6), other);

    Gathered gathered = requireWhole(WHOLE, conversion());

    assertEquals(Map.of(NAME, 4L), gathered.differences());
  }

  private static Map<Object, Object> empty(int rows) {
    return map(6, share(6, rows(6, 0, 0, 0)), share(rows, rows(rows, 6 - rows, 0, 1)));
  }

  private void writeEmpty(Map<Object, Object> map) throws IOException {
    ModelParallelFiles files = files(1, 2).info(info(1, "^a\\.weight$", map));
    files.withoutEmptyMasters();
    files.write(0, List.of(WHOLE, Floats.random("b", 3, 2)));
    files.write(1, List.of(part(0, 0), Floats.random("b", 4, 2)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRankWithoutElementsHasNoMaster(boolean ruled) throws IOException {
    writeEmpty(empty(0));

    Gathered gathered = (ruled ? withRule("'dim': 0") : conversion()).type("float32").gather();

    Floats other = Floats.rows(List.of(Floats.random("b", 3, 2), Floats.random("b", 4, 2)));
    assertEquals(Map.of(NAME, WHOLE.described(), "b", other.described()), gathered.tensors());
  }

  /** The other way around, what the first rank has no master of goes first, as frozen ones do. */
  @Test
  void norNeedTheFirstRankHaveOne() throws IOException {
    Map<Object, Object> map = map(6, share(0, rows(0, 0, 0, 0)), share(6, rows(6, 0, 0, 1)));
    ModelParallelFiles files = files(1, 2).info(info(1, "^a\\.weight$", map)).withoutEmptyMasters();
    List<Floats> around = List.of(Floats.random("0", 3, 2), Floats.random("b", 4, 2));
    files.write(0, List.of(around.get(0), part(0, 0), around.get(1)));
    files.write(1, List.of(around.get(0), WHOLE, around.get(1)));

    assertEquals(
        List.of("a.weight[6, 2]", "0[4]", "b[4]"),
        conversion().prepare().checkpoint().tensors().stream()
            .map(t -> t.name() + t.spec().shape())
            .toList());
  }

  @Test
  void aMasterThatIsMissingIsNoEmptyOne() throws IOException {
    writeEmpty(empty(2));

    assertSays(
        failure(),
        "a.weight of 2 tensor-parallel ranks: rank 1 has shape [0, 2], and its pieces are of [2, 2]");
  }

  private static Map<Object, Object> scaled(double scale) {
    Map<Object, Object> piece = rows(6, 0, 0, 0, 1);
    piece.put("scale", scale);
    return map(6, share(6, piece), share(6, piece));
  }

  /** In 16 bits the quotient is rounded again, as torch does. */
  @Test
  void aScaleIsUndoneInTheModuleToo() throws IOException {
    write(info(1, "^a\\.weight$", scaled(0.7)), WHOLE, WHOLE);

    Gathered gathered =
        requireWhole(
            WHOLE.asBfloat16().divided(0.7f).asBfloat16(), conversion().weights(Weights.MODEL));

    assertEquals(Map.of(), gathered.differences());
  }

  /** What was stored is compared: quotients of rounded numbers need not be rounded quotients. */
  @Test
  void scaledMastersAreProven() throws IOException {
    write(info(1, "^a\\.weight$", scaled(0.7)), WHOLE, WHOLE);

    Gathered gathered = requireWhole(WHOLE.divided(0.7f), conversion().proving());

    assertEquals(
        "cast to the type of the module, they are bit for bit its own",
        gathered.proof().orElseThrow().verdict());
  }

  private void refuses(String message, Map<Object, Object> info) throws IOException {
    writeFused(info);
    String said = failure();
    assertSays(said, message, " 'tensorParallel' rule for it in a file, with --mapping FILE");
    Fixtures.remove(input());
  }

  private static final String PIECES = "a.weight of 2 tensor-parallel ranks: ";

  @Test
  void otherVersionsAreNotRead() throws IOException {
    for (int version : new int[] {0, 2}) {
      refuses(
          "version " + version + " of 'affine_map' is not read, which may tell of a.weight: ",
          info(version, "^a\\.weight$", fused()));
    }
  }

  @Test
  void mapsThatMakeNoSenseAreRefused() throws IOException {
    Map<Object, Object> strange = rows(6, 0, 0, 0);
    strange.put("transposed", true);
    String noMap = "the affine map of a.weight is no map: ";
    refuses(noMap + "a piece has 'transposed'", info(1, "^a\\.weight$", map(6, share(6, strange))));
    Map<Object, Object> strides = rows(6, 0, 0, 0);
    strides.put("source", List.of(0, list(1)));
    refuses(
        noMap + "strides [1] for shape [6, 2]", info(1, "^a\\.weight$", map(6, share(6, strides))));
    strides.put("source", List.of(0, list(2, 1), 3));
    refuses(
        noMap + "a piece has 3 numbers for a place",
        info(1, "^a\\.weight$", map(6, share(6, strides))));
    refuses(noMap + "nothing can be divided by 0.0", info(1, "^a\\.weight$", scaled(0)));
    Map<Object, Object> ranks =
        dict("logical_shape", list(6, 2), "ranks", dict(0, share(5), 2, share(3)));
    refuses(noMap + "the dict lacks 'ranks'", info(1, "^a\\.weight$", dict()));
    refuses(noMap + "it is of ranks [0, 2]", info(1, "^a\\.weight$", ranks));
    refuses(
        noMap + "rank 0 is there twice",
        info(
            1,
            "^a\\.weight$",
            dict("logical_shape", list(6, 2), "ranks", dict(0, share(5), "0", share(3)))));
    refuses(
        noMap,
        info(
            1,
            "^a\\.weight$",
            dict("logical_shape", list(6, 2), "ranks", dict("first", share(5)))));
    refuses(
        "several patterns of 'affine_map' match a.weight: [^a\\.weight$, a]",
        info(1, "^a\\.weight$", fused(), "a", fused()));
  }

  @Test
  void piecesThatDoNotFitAreRefused() throws IOException {
    refuses(
        PIECES + "the pieces are of 1 ranks",
        info(1, "^a\\.weight$", map(6, share(6, rows(6, 0, 0, 0)))));
    refuses(
        PIECES + "rank 0 has shape [5, 2], and its pieces are of [4, 2]",
        info(1, "^a\\.weight$", map(6, share(4, rows(4, 0, 0, 0)), share(3, rows(3, 3, 0, 1)))));
    refuses(
        PIECES + "the pieces do not make up shape [6, 2]: no block covers the tensor at [6]",
        info(
            1,
            "^a\\.weight$",
            map(
                6,
                share(5, rows(3, 0, 0, 0, 1), rows(2, 4, 3, 0)),
                share(3, rows(3, 0, 0, 0, 1)))));
    refuses(
        PIECES + "the pieces of rank 1 do not fill its slice of shape [3, 2]: ",
        info(1, "^a\\.weight$", map(6, share(5, rows(5, 0, 0, 0)), share(3, rows(1, 5, 0, 1)))));
    refuses(
        PIECES
            + "the pieces do not make up shape [6, 2]: ranks [1] have [2] at 6 with strides"
            + " [1], and it is said to be held by [0, 1]",
        info(
            1,
            "^a\\.weight$",
            map(
                6,
                share(5, rows(3, 0, 0, 0), rows(2, 4, 3, 0, 1)),
                share(3, rows(1, 3, 0, 0, 1), rows(2, 4, 1, 0, 1)))));
  }

  /** A map that nobody asks for may be of any kind. */
  @Test
  void otherMapsDoNotMatter() throws IOException {
    writeFused(info(1, "^a\\.weight$", fused(), "^b\\.weight$", scaled(0)));

    Gathered gathered = requireWhole(WHOLE, conversion());
    assertTrue(gathered.notes().contains("put together from 2 tensor-parallel ranks"));
  }
}
