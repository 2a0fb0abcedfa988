package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.format.safetensors.SafetensorsIndex;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SpareNamesTest {
  private static final List<String> FIVE =
      List.of("t/model-00001-of-00002.safetensors", "t/model-00002-of-00002.safetensors");
  private static final List<String> SIX =
      List.of("t/model-000001-of-000002.safetensors", "t/model-000002-of-000002.safetensors");
  private static final List<String> FOUR =
      List.of("t/model-0001-of-0002.safetensors", "t/model-0002-of-0002.safetensors");

  private static PlannedFile file(String path, PlannedFile.Role role) {
    return new PlannedFile(path, role, List.of(new Segment.Literal(new byte[] {1})));
  }

  private static ConversionPlan plan(List<String> shards, boolean indexed) {
    List<PlannedFile> files =
        new ArrayList<>(List.of(file("vae/a-00001-of-00001.bin", PlannedFile.Role.COPY)));
    Map<String, String> weightMap = new TreeMap<>();
    for (String shard : shards) {
      files.add(file(shard, PlannedFile.Role.WEIGHTS));
      weightMap.put("tensor of " + weightMap.size(), shard.substring(shard.indexOf('/') + 1));
    }
    SmallFile index =
        SmallFile.index(
            "t/index.json",
            naming -> {
              Map<String, String> named = new HashMap<>(weightMap);
              named.replaceAll((tensor, shard) -> naming.apply(shard));
              return new SafetensorsIndex(Map.of("tied", "kept"), 7, named).bytes();
            });
    return new ConversionPlan(
        List.of(),
        0,
        files,
        List.of(),
        indexed ? Optional.of(index) : Optional.empty(),
        List.of(),
        Optional.empty(),
        Witness.NONE);
  }

  private static List<String> shards(ConversionPlan plan) {
    return plan.shards().stream().map(PlannedFile::path).toList();
  }

  private static List<String> beside(List<String> present, List<String> own) {
    return shards(SpareNames.beside(present, plan(own, true)));
  }

  @Test
  void namesAlternateAndDoNotGrow() {
    assertEquals(FIVE, beside(List.of("t/other"), FIVE));
    assertEquals(SIX, beside(FIVE, FIVE));
    assertEquals(FIVE, beside(SIX, FIVE));
    assertEquals(FOUR, beside(List.of(FIVE.get(1), SIX.get(0)), FIVE));
    assertEquals(FIVE, beside(SIX, SIX));
  }

  @Test
  void theIndexNamesThemAndNothingElseChanges() {
    ConversionPlan renamed = SpareNames.beside(FIVE, plan(FIVE, true));

    assertEquals("vae/a-00001-of-00001.bin", renamed.copied().get(0).path());
    String index = new String(renamed.index().orElseThrow().content(), StandardCharsets.UTF_8);
    String own =
        new String(plan(FIVE, true).index().orElseThrow().content(), StandardCharsets.UTF_8);
    assertEquals(own.replace("-0000", "-00000"), index);
  }

  @Test
  void withoutAnIndexNothingCanHaveAnotherName() {
    assertEquals(FIVE, shards(SpareNames.beside(FIVE, plan(FIVE, false))));
  }

  @Test
  void namesWithOtherNumbersAndWithout() {
    assertEquals(
        List.of("t/model-000007-of-000163.safetensors"),
        beside(
            List.of("t/model-00007-of-000163.safetensors"),
            List.of("t/model-00007-of-000163.safetensors")));
    assertEquals(
        List.of("t/last-r.safetensors"),
        beside(List.of("t/last.safetensors"), List.of("t/last.safetensors")));
  }
}
