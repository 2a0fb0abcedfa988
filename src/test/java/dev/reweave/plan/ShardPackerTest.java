package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.storage.ByteSize;
import dev.reweave.target.base.WeightNames;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ShardPackerTest {
  @Test
  void packsAsTheHubDoes() throws IOException {
    JsonNode cases =
        new ObjectMapper()
            .readTree(ShardPackerTest.class.getResourceAsStream("/safetensors/packing.json"));
    assertEquals(200, cases.size());
    for (JsonNode c : cases) {
      long limit = ByteSize.parse(c.get("limit").textValue());
      assertEquals(c.get("bytes").longValue(), limit);
      List<TensorSpec> tensors = new ArrayList<>();
      c.get("sizes").forEach(size -> tensors.add(tensor(tensors.size(), size.longValue())));

      Map<String, List<String>> expected = new LinkedHashMap<>();
      c.get("shards")
          .properties()
          .forEach(
              shard -> {
                List<String> names = new ArrayList<>();
                shard.getValue().forEach(i -> names.add(i.asText()));
                expected.put(shard.getKey(), names);
              });
      List<PackedShard> shards = ShardPacker.pack(tensors, limit, named("model"));
      assertEquals(
          List.copyOf(expected.entrySet()),
          shards.stream().map(s -> Map.entry(s.fileName(), names(s))).toList(),
          () -> c.toString());
    }
  }

  @Test
  void givesAnOversizeTensorAShardBeforeTheOpenOne() {
    List<PackedShard> shards = pack(10, 4, 25, 5, 3);
    assertEquals(
        List.of(List.of("1"), List.of("0", "2"), List.of("3")),
        shards.stream().map(ShardPackerTest::names).toList());
    assertEquals("w-00001-of-00003.safetensors", shards.get(0).fileName());
    assertEquals(25, shards.get(0).tensorBytes());
    assertEquals(9, shards.get(1).tensorBytes());
  }

  @Test
  void namesASingleShardWithoutANumber() {
    assertEquals("w.safetensors", pack(10, 4, 6, 0).get(0).fileName());
    assertEquals("w.safetensors", pack(10, 11).get(0).fileName());
    assertEquals(List.of(), pack(10));
  }

  @Test
  void doesNotOverflow() {
    assertEquals(2, pack(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE).size());
  }

  @Test
  void refusesMisuse() {
    assertThrows(IllegalArgumentException.class, () -> pack(0, 1));
    assertThrows(IllegalArgumentException.class, () -> new PackedShard("a", List.of()));
  }

  private static List<PackedShard> pack(long limit, long... sizes) {
    int[] index = {0};
    return ShardPacker.pack(
        LongStream.of(sizes).mapToObj(size -> tensor(index[0]++, size)).toList(),
        limit,
        named("w"));
  }

  private static TensorSpec tensor(int index, long bytes) {
    return new TensorSpec(Integer.toString(index), DType.U8, Shape.of(bytes));
  }

  private static List<String> names(PackedShard shard) {
    return shard.tensors().stream().map(TensorSpec::name).toList();
  }

  private static FileNames named(String weightsName) {
    return new FileNames("", WeightNames.of(weightsName, Optional.empty()), Format.SAFETENSORS);
  }
}
