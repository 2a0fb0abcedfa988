package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.PartRule;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** Planned files of a distributed checkpoint. */
class DistributedShardsTest {
  private static final long CELL = 64_000;

  private static ConversionPlan plan(PlanOptions options, List<NamedTensor> tensors) {
    return plan(options, tensors, Map.of());
  }

  private static ConversionPlan plan(
      PlanOptions options, List<NamedTensor> tensors, Map<String, String> aliases) {
    return new Planner(options.withType(new TargetType.Keep()))
        .plan(
            ResultModel.of(
                PlanSamples.sources(1), tensors, aliases, PlanSamples.names(Format.DCP)));
  }

  private static PlanOptions inCells(long shardBytes) {
    return PlanOptions.DEFAULTS.withSizes(shardBytes, CELL);
  }

  @Provide
  static Arbitrary<List<NamedTensor>> models() {
    Arbitrary<long[]> dims = Arbitraries.longs().between(0, 150).array(long[].class).ofMaxSize(3);
    Arbitrary<DType> types =
        Arbitraries.of(DType.F32, DType.BF16, DType.U8, DType.F8_E4M3, DType.C64, DType.I64);
    return Combinators.combine(types, dims)
        .as((type, shape) -> PlanSamples.tensor("t", type, shape))
        .list()
        .ofMinSize(1)
        .ofMaxSize(8)
        .map(DistributedShardsTest::numbered);
  }

  private static List<NamedTensor> numbered(List<NamedTensor> tensors) {
    List<NamedTensor> numbered = new ArrayList<>();
    for (NamedTensor tensor : tensors) {
      Shape shape = tensor.spec().shape();
      numbered.add(PlanSamples.tensor("t" + numbered.size(), tensor.spec().dtype(), shape.dims()));
    }
    return numbered;
  }

  /** Every element is in one item, and each item in one cell, whatever the store's parts are. */
  @Property(tries = 300)
  void noItemIsCut(@ForAll("models") List<NamedTensor> tensors) {
    ConversionPlan plan = plan(inCells(1L << 40), tensors);

    List<String> found = new ArrayList<>();
    for (PlannedFile file : plan.shards()) {
      long at = 0;
      long reached = 0;
      for (int s = 0; s < file.segments().size(); s++) {
        Segment segment = file.segments().get(s);
        assertEquals(at, file.position(s));
        at += segment.length();
        if (segment instanceof Segment.OfTensor ofTensor) {
          assertEquals(ofTensor.isFirst() ? 0 : reached, ofTensor.from());
          reached = ofTensor.to();
          if (reached == ofTensor.spec().units()) {
            found.add(ofTensor.spec().name());
          }
        } else if (segment instanceof Segment.ItemEnd end) {
          assertEquals(s - 1, end.tensor());
          assertEquals(end.length(), end.bytes(1).length);
          assertEquals(file.position(s - 1) / CELL, (at - 1) / CELL);
        } else if (segment instanceof Segment.Literal literal) {
          assertEquals(literal.length(), literal.bytes().length);
        }
      }
      assertEquals(at, file.length());
    }
    assertEquals(tensors.stream().map(NamedTensor::name).toList(), found);
    assertEquals(tensors.size(), plan.tensors());
    for (Chunk chunk : plan.chunks(PartRule.FREE, 3)) {
      assertEquals(0, chunk.from() % CELL);
    }
  }

  /** Little is left empty. */
  @Test
  void cellsAreFilled() {
    List<NamedTensor> tensors = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      tensors.add(PlanSamples.tensor("t" + i, DType.F32, 100 + i, 211));
    }

    ConversionPlan plan = plan(inCells(1L << 40), tensors);

    long elements = tensors.stream().mapToLong(t -> t.spec().bytes()).sum();
    long written = plan.bytesToWrite();
    assertTrue(written < elements * 1.15, written + " for " + elements);
    assertEquals(elements, plan.bytesToRead());
  }

  /** Of a tensor of 12 GB, no store and no number of cores changes a byte. */
  @Test
  void cellsAreTheSameEverywhere() {
    NamedTensor large = PlanSamples.tensor("large", DType.F32, 50_000, 60_000);
    ConversionPlan plan = plan(PlanOptions.DEFAULTS, List.of(large));

    PlannedFile file = plan.shards().get(0);
    assertEquals(DistributedShards.CELL, file.cell());
    for (PartRule rule : List.of(PartRule.FREE, multipart())) {
      List<Chunk> chunks = plan.chunks(rule, 7);
      for (int c = 0; c < chunks.size(); c++) {
        Chunk chunk = chunks.get(c);
        assertEquals(chunks.get(0).length() * c, chunk.from(), "parts of a length");
        assertEquals(0, chunk.from() % DistributedShards.CELL);
      }
      assertTrue(chunks.size() > 20, "chunks: " + chunks.size());
    }
  }

  private static PartRule multipart() {
    return new PartRule(5 << 20, 2047L << 20, 10_000, PartRule.Buffering.PIECES);
  }

  @Test
  void metadataComesForOneShardAndForSeveral() {
    List<NamedTensor> tensors =
        List.of(PlanSamples.tensor("a", DType.F32, 100), PlanSamples.tensor("b", DType.F32, 100));

    ConversionPlan one = plan(inCells(1 << 20), tensors);
    ConversionPlan two = plan(inCells(400), tensors, Map.of("c", "b"));

    assertEquals(List.of("transformer/__0_0.distcp"), shards(one));
    assertEquals("transformer/.metadata", one.index().orElseThrow().path());
    assertEquals(List.of("transformer/__0_0.distcp", "transformer/__1_0.distcp"), shards(two));
    assertTrue(text(one).contains("__0_0.distcp"));
    assertTrue(text(two).contains("__1_0.distcp"));
    ConversionPlan beside = SpareNames.beside(two.paths(), two);
    assertEquals(
        List.of("transformer/__0_0-r.distcp", "transformer/__1_0-r.distcp"), shards(beside));
    assertTrue(text(beside).contains("__1_0-r.distcp"));
    assertTrue(!text(beside).contains("__1_0.distcp"));
  }

  private static List<String> shards(ConversionPlan plan) {
    return plan.shards().stream().map(PlannedFile::path).toList();
  }

  private static String text(ConversionPlan plan) {
    return new String(plan.index().orElseThrow().content(), StandardCharsets.ISO_8859_1);
  }

  @Test
  void whatHasNoPlaceInTheFormatIsRefused() {
    List<NamedTensor> tensors = List.of(PlanSamples.tensor("a", DType.F32, 100));
    PlanOptions named = inCells(1000).with(PlanOptions.WEIGHTS_NAME, Optional.of("x"));
    PlanOptions likeBase = inCells(1000).with(PlanOptions.SHARDS, Sharding.LIKE_BASE);

    assertEquals(
        "the files of a distributed checkpoint have the names that torch looks for:"
            + " --weights-name; leave --weights-name out",
        assertThrows(ReweaveException.class, () -> plan(named, tensors)).getMessage());
    assertEquals(
        "a base is no distributed checkpoint, so its shards cannot be those of one: --shards"
            + " like-base; leave --shards out",
        assertThrows(ReweaveException.class, () -> plan(likeBase, tensors)).getMessage());
  }
}
