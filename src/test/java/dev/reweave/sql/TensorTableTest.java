package dev.reweave.sql;

import static dev.reweave.sql.Queries.rows;
import static dev.reweave.sql.Queries.sql;
import static dev.reweave.sql.Queries.view;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the rows say, for every kind of checkpoint. */
class TensorTableTest {
  @TempDir Path temp;

  @Test
  void theTableHasTheseColumns() {
    view("t", Fixtures.folder("z2_bf16_w2/ckpt"), "");
    assertEquals(
        "model STRING NOT NULL,tag STRING,name STRING NOT NULL,dtype STRING NOT NULL,shape"
            + " ARRAY<BIGINT> NOT NULL,elements BIGINT NOT NULL,bytes BIGINT NOT NULL,shard STRING,"
            + "offset_start BIGINT,offset_end BIGINT,crc32c STRING NOT NULL,min DOUBLE,max DOUBLE,"
            + "mean DOUBLE,std DOUBLE,nan_count BIGINT NOT NULL,inf_count BIGINT NOT NULL,"
            + "zero_share DOUBLE",
        sql("SELECT * FROM t").schema().toDDL());
  }

  /** Names, types, shapes and bytes are those of the file that the framework's own tool wrote. */
  @ParameterizedTest
  @CsvSource({
    "z1_bf16_w2/ckpt, master, expected.safetensors",
    "z2_bf16_w2/ckpt, master, expected.safetensors",
    "z2_fp16_w3_groups/ckpt, master, expected.safetensors",
    "z3_fp16_w3/ckpt, master, expected.safetensors",
    "tp2_z2_bf16_w4/ckpt, master, expected_merged_fp32_master.safetensors",
    "moe_z2_bf16_w2/ckpt, model, expected_merged_module.safetensors",
    "uc_from_z1_fp16_w2/ckpt, master, expected.safetensors",
    "dcp_plain/ckpt, -, expected.safetensors",
    "dcp_mesh_w4/ckpt, -, expected.safetensors",
    "z0_bf16_w2/ckpt, model, expected_module.safetensors",
    "z2_bf16_w2/expected.safetensors, -, expected.safetensors",
  })
  void everyKindOfCheckpointIsATable(String input, String weights, String expected)
      throws IOException {
    Path address = Fixtures.folder(input);
    Path mapping = address.resolveSibling("mapping.json");
    view(
        "t",
        address,
        (Files.exists(mapping) ? ", mapping '" + mapping + "'" : "")
            + (weights.equals("-") ? "" : ", weights '" + weights + "'"));

    List<String> found = rows("SELECT name, dtype, array_join(shape, ', '), crc32c FROM t");

    Path fixture = Fixtures.folder(input.substring(0, input.indexOf('/')));
    assertEquals(
        WeightSample.described(fixture.resolve(expected)).stream()
            .map(row -> row.replace("[", "").replace("]", ""))
            .toList(),
        found.stream().sorted().toList());
  }

  @Test
  void aModelsShardsAndOffsetsAreThoseOfTheHeaders() throws IOException {
    Path model = temp.resolve("my-model");
    Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), model)
        .planning(PlanOptions.DEFAULTS.withSizes(600, 64_000))
        .run();
    List<String> expected = new ArrayList<>();
    int shards = 0;
    try (var files = Files.list(model)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
        shards++;
        for (SafetensorsHeader.Entry entry : WeightSample.header(file).entries()) {
          expected.add(
              "my-model null "
                  + entry.spec().name()
                  + " "
                  + file.getFileName()
                  + " "
                  + entry.begin()
                  + " "
                  + entry.end()
                  + " "
                  + entry.spec().bytes()
                  + " "
                  + entry.spec().elements());
        }
      }
    }
    view("t", model, "");
    assertTrue(shards > 1, "shards: " + shards);
    assertEquals(
        expected.stream().sorted().toList(),
        rows(
                "SELECT model, tag, name, shard, offset_start, offset_end, bytes, elements FROM t"
                    + " ORDER BY model, name")
            .stream()
            .sorted()
            .toList());
  }

  @Test
  void statisticsAreThoseOfTheElements() throws IOException {
    float nan = Float.NaN;
    float infinity = Float.POSITIVE_INFINITY;
    new WeightSample()
        .floats("a", 1, 2, 3, 6)
        .floats("bad", nan, -infinity, infinity, 5, 0, nan, nan)
        .floats("hopeless", nan)
        .add("empty", DType.BF16, Shape.of(3, 0), new byte[0])
        .add("flags", DType.BOOL, Shape.of(4), new byte[] {0, 1, 1, 0})
        .add("ids", DType.I64, Shape.SCALAR, new byte[] {-1, -1, -1, -1, -1, -1, -1, -1})
        .add("half", DType.F16, Shape.of(2), HexFormat.of().parseHex("003c00c0"))
        .add("brain", DType.BF16, Shape.of(1, 2), HexFormat.of().parseHex("803f00c0"))
        .write(temp.resolve("model.safetensors"));
    view("t", temp, ", model 'mine'");

    assertEquals(
        List.of(
            "a 1.0 6.0 3.0 1.8708286933869707 0 0 0.0",
            "bad 0.0 5.0 2.5 2.5 3 2 0.14285714285714285",
            "brain -2.0 1.0 -0.5 1.5 0 0 0.0",
            "empty null null null null 0 0 null",
            "flags 0.0 1.0 0.5 0.5 0 0 0.5",
            "half -2.0 1.0 -0.5 1.5 0 0 0.0",
            "hopeless null null null null 1 0 0.0",
            "ids -1.0 -1.0 -1.0 0.0 0 0 0.0"),
        rows(
            "SELECT name, min, max, mean, std, nan_count, inf_count, zero_share FROM t"
                + " ORDER BY name"));
    // Of the digits 1 to 9: the check value of the catalogue of CRCs; of nothing: 0.
    new WeightSample()
        .add("digits", DType.U8, Shape.of(9), HexFormat.of().parseHex("313233343536373839"))
        .write(temp.resolve("other/digits.safetensors"));
    view("d", temp.resolve("other"), "");
    assertEquals(List.of("e3069283"), rows("SELECT crc32c FROM d"));
    assertEquals(
        List.of("mine 00000000 [3, 0]"),
        rows("SELECT model, crc32c, cast(shape AS STRING) FROM t WHERE name = 'empty'"));
  }

  /** Partitions of two ranks, several windows to a tensor, several tasks: all make one sum. */
  @Test
  void statisticsOfTensorsOfManyWindows() throws IOException {
    List<TensorSpec> params =
        List.of(
            new TensorSpec("small.weight", DType.F32, Shape.of(77)),
            new TensorSpec("big.weight", DType.F32, Shape.of(3001, 1999)),
            new TensorSpec("first.weight", DType.F32, Shape.of(7_000_001)),
            new TensorSpec("second.weight", DType.F32, Shape.of(7_000_003)));
    SyntheticCheckpoint checkpoint =
        SyntheticCheckpoint.write(temp.resolve("ckpt"), 3, 2, params, 5);
    view("t", temp.resolve("ckpt"), "");
    Dataset<Row> found = sql("SELECT name, mean, std, nan_count, bytes, shard FROM t");
    assertTrue(found.javaRDD().getNumPartitions() > 1);
    List<Row> rows = found.collectAsList();

    assertEquals(checkpoint.params().size(), rows.size());
    int big = 0;
    for (int p = 0; p < rows.size(); p++) {
      Row row = rows.get(p);
      assertEquals(checkpoint.params().get(p).name(), row.getString(0));
      big += row.getLong(4) > 16 << 20 ? 1 : 0;
      long elements = checkpoint.params().get(p).elements();
      double sum = 0;
      for (long e = 0; e < elements; e++) {
        sum += checkpoint.value(p, e);
      }
      double mean = sum / elements;
      double squares = 0;
      for (long e = 0; e < elements; e++) {
        squares += Math.pow(checkpoint.value(p, e) - mean, 2);
      }
      double deviation = Math.sqrt(squares / elements);
      assertEquals(mean, row.getDouble(1), 1e-11 * deviation);
      assertEquals(deviation, row.getDouble(2), 1e-11 * deviation);
      assertEquals(0, row.getLong(3));
      assertTrue(row.isNullAt(5), "a file for a tensor in partitions");
    }
    assertEquals(3, big, "tensors of several windows");
  }

  @Test
  void aStepsFilesAndItsTag() {
    view("t", Fixtures.folder("z2_bf16_w2/ckpt"), ", weights 'model'");
    assertEquals(
        List.of("ckpt global_step3 layers.0.bias bfloat16 global_step3/mp_rank_00_model_states.pt"),
        rows("SELECT model, tag, name, dtype, shard FROM t WHERE name = 'layers.0.bias'"));
    assertEquals(
        rows("SELECT sum(bytes) FROM t"), rows("SELECT sum(offset_end - offset_start) FROM t"));
    view("u", Fixtures.folder("z2_bf16_w2_tags/ckpt"), ", tag 'global_step1'");
    assertEquals(List.of("global_step1"), rows("SELECT DISTINCT tag FROM u"));
  }

  /** Names, types, shapes and bytes of both parts are those that PEFT saves. */
  @ParameterizedTest
  @CsvSource({
    "patterns, adapter, adapter.safetensors",
    "patterns, base, base.safetensors",
    "several, adapter, adapter.safetensors",
  })
  void onePartOfAModelWithAnAdapter(String name, String part, String expected) throws IOException {
    Path made = Fixtures.resource("adapters").resolve(name);
    view("t", made.resolve("model.pt"), ", part '" + part + "'");

    List<String> found = rows("SELECT name, dtype, array_join(shape, ', '), crc32c FROM t");

    assertEquals(
        WeightSample.described(made.resolve(expected)).stream()
            .map(row -> row.replace("[", "").replace("]", ""))
            .toList(),
        found.stream().sorted().toList());
  }

  @Test
  void oneOfSeveralAdapters() throws IOException {
    Path made = Fixtures.resource("adapters/several");
    view("t", made.resolve("model.pt"), ", part 'adapter', adapter 'other'");

    assertEquals(
        StoredTensors.of(made.resolve("other/adapter.safetensors")).keySet(),
        Set.copyOf(rows("SELECT name FROM t")));
  }

  /** Places are those of the file's header, of which a part need not have the first tensor. */
  @Test
  void offsetsOfAPartAreThoseOfTheHeader() throws IOException {
    Path file =
        new WeightSample()
            .floats("base_model.model.a.base_layer.weight", 1, 2)
            .floats("base_model.model.a.lora_A.default.weight", 3)
            .floats("base_model.model.a.lora_B.default.weight", 4, 5)
            .write(temp.resolve("model.safetensors"));
    view("t", file, ", part 'adapter'");

    assertEquals(
        List.of("base_model.model.a.lora_A.weight 8 12", "base_model.model.a.lora_B.weight 12 20"),
        rows("SELECT name, offset_start, offset_end FROM t ORDER BY name"));
  }

  @Test
  void namesAreMappedOnRequest() {
    Path checkpoint = Fixtures.folder("sat_z2_bf16_w2/ckpt");
    view("plain", checkpoint, "");
    view("mapped", checkpoint, ", mapping 'auto'");
    String count = "SELECT count(*) FROM ";
    String ours = " WHERE name LIKE 'model.diffusion_model.%'";
    String theirs = " WHERE name LIKE 'transformer_blocks.%.attn1.to_q.weight'";
    assertTrue(Integer.parseInt(rows(count + "plain" + ours).get(0)) > 0);
    assertEquals(List.of("0"), rows(count + "plain" + theirs));
    assertEquals(List.of("0"), rows(count + "mapped" + ours));
    assertTrue(Integer.parseInt(rows(count + "mapped" + theirs).get(0)) > 0);
  }

  @Test
  void severalAddressesAreOneTable() {
    String one = Fixtures.folder("z2_bf16_w2/expected.safetensors").toString();
    String other = Fixtures.folder("base_pipeline/transformer").toString();
    Dataset<Row> both = TestSpark.session().read().format("reweave").load(one, other);
    both.createOrReplaceTempView("both");
    assertEquals(
        List.of("expected.safetensors", "transformer"),
        rows("SELECT DISTINCT model FROM both ORDER BY model"));
    List<String> crcs = new ArrayList<>();
    for (String address : List.of(one, other)) {
      view("t", address, "");
      crcs.addAll(rows("SELECT name, crc32c FROM t"));
    }
    assertEquals(crcs, rows("SELECT name, crc32c FROM both"));
  }
}
