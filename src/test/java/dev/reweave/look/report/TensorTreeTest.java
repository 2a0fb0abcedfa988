package dev.reweave.look.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.look.report.TensorTree.Repeated;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tensors by module, as people see them. */
class TensorTreeTest {
  private static TensorSpec tensor(String name, long... shape) {
    return new TensorSpec(name, DType.BF16, Shape.of(shape));
  }

  private static List<String> tree(Repeated repeated, List<TensorSpec> tensors) {
    return tree(repeated, Map.of("model.safetensors", tensors));
  }

  private static List<String> tree(Repeated repeated, Map<String, List<TensorSpec>> files) {
    Map<String, SafetensorsHeader> headers = new TreeMap<>();
    files.forEach(
        (file, tensors) -> headers.put(file, SafetensorsHeader.layOut(tensors, Map.of())));
    return TensorTree.of(Inspection.of("model", headers), repeated).lines().stream()
        .map(TensorTree.Line::text)
        .toList();
  }

  /** Names and what stands behind them, without figures. */
  private static List<String> names(List<String> tree) {
    return tree.stream()
        .skip(2)
        .map(
            line ->
                line.replaceFirst("( {2,}[\\d.]+( [KMBT])?){2} ?[KMGT]?B .*", "").stripTrailing())
        .map(line -> line.replaceAll("(?<=\\S) {2,}", "  "))
        .toList();
  }

  private static List<TensorSpec> layers(int count) {
    List<TensorSpec> tensors = new ArrayList<>(List.of(tensor("model.embed.weight", 1000, 100)));
    for (int i = 0; i < count; i++) {
      tensors.add(tensor("model.layers." + i + ".mlp.up.weight", 100, 50));
      tensors.add(tensor("model.layers." + i + ".mlp.down.weight", 50, 100));
      tensors.add(tensor("model.layers." + i + ".norm.weight", 100));
    }
    return tensors;
  }

  @Test
  void layersThatAreAlikeAreOne() {
    assertEquals(
        List.of(
            "module                                         parameters   bytes   share",
            "all                                                 423 K  846 KB  100.0%",
            "└─ model                                            423 K  846 KB  100.0%",
            "   ├─ embed.weight       bfloat16 [1000, 100]       100 K  200 KB   23.6%",
            "   └─ layers.0…31        32 alike                   323 K  646 KB   76.4%"),
        tree(Repeated.FOLDED, layers(32)).stream().filter(l -> !l.startsWith("      ")).toList());
    assertEquals(
        List.of(
            "      ├─ mlp",
            "      │  ├─ down.weight  bfloat16 [50, 100]",
            "      │  └─ up.weight  bfloat16 [100, 50]",
            "      └─ norm.weight  bfloat16 [100]"),
        names(tree(Repeated.FOLDED, layers(32))).subList(3, 7));
  }

  /** What is told of one layer once is so much of all. */
  @Test
  void sumsAreOfAllThatAreAlike() {
    String up =
        tree(Repeated.FOLDED, layers(32)).stream().filter(l -> l.contains("up.w")).findAny().get();

    assertTrue(up.endsWith("  160 K  320 KB   37.8%"), up);
  }

  @Test
  void eachByItselfIfThatIsAskedFor() {
    List<String> names = names(tree(Repeated.SHOWN, layers(12)));

    assertEquals(3 + 12 * 5, names.size());
    assertEquals(
        List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"),
        names.stream()
            .filter(n -> n.matches(".*─ \\d+"))
            .map(n -> n.replaceAll("\\D", ""))
            .toList());
  }

  @Test
  void othersStayApart() {
    List<TensorSpec> tensors = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      boolean first = i == 0;
      tensors.add(tensor("layers." + i + ".w", first ? 7 : i % 2 == 0 ? 5 : 6));
    }
    tensors.add(new TensorSpec("layers.21.w", DType.F32, Shape.of(5)));

    assertEquals(
        List.of(
            "└─ layers",
            "   ├─ 0.w  bfloat16 [7]",
            "   ├─ 1, 3, 5 and 7 more.w  10 alike, bfloat16 [6]",
            "   ├─ 2, 4, 6 and 6 more.w  9 alike, bfloat16 [5]",
            "   └─ 21.w  float32 [5]"),
        names(tree(Repeated.FOLDED, tensors)));
  }

  @Test
  void runsOfNumbers() {
    List<TensorSpec> tensors = new ArrayList<>();
    for (int i : new int[] {0, 1, 3, 5, 6, 7}) {
      tensors.add(tensor("h." + i + ".a", 2));
      tensors.add(tensor("h." + i + ".b", 2));
    }

    assertEquals("└─ h.0, 1, 3, 5…7  6 alike", names(tree(Repeated.FOLDED, tensors)).get(0));
  }

  @Test
  void expertsOfLayers() {
    List<TensorSpec> tensors = new ArrayList<>();
    for (int layer = 0; layer < 3; layer++) {
      for (int expert = 0; expert < 4; expert++) {
        tensors.add(tensor("l." + layer + ".e." + expert + ".w", 10));
        tensors.add(tensor("l." + layer + ".e." + expert + ".b", 1));
      }
    }

    List<String> tree = tree(Repeated.FOLDED, tensors);

    assertEquals(List.of("└─ l.0…2  3 alike", "   └─ e.0…3  4 alike"), names(tree).subList(0, 2));
    assertTrue(tree.get(3).contains(" 132 "), tree::toString);
    assertTrue(tree.get(5).matches(".* [wb] .* (12|120) .*"), tree::toString);
  }

  @Test
  void aTensorThatOthersAreBelow() {
    assertEquals(
        List.of("└─ a", "   ├─ (itself)  bfloat16 [1]", "   └─ b.c  bfloat16 [2]"),
        names(tree(Repeated.FOLDED, List.of(tensor("a", 1), tensor("a.b.c", 2)))));
  }

  @Test
  void theFoldersOfAPipelineComeFirst() {
    assertEquals(
        List.of(
            "├─ text_encoder.norm.weight  bfloat16 [3]",
            "└─ transformer.norm.weight  bfloat16 [2]"),
        names(
            tree(
                Repeated.FOLDED,
                Map.of(
                    "text_encoder/model.safetensors", List.of(tensor("norm.weight", 3)),
                    "transformer/diffusion_pytorch_model.safetensors",
                        List.of(tensor("norm.weight", 2))))));
  }

  /** Names are anything: they break no line, and make no tree of thousands of levels. */
  @Test
  void namesOfAnyKind() {
    List<String> tree =
        tree(
            Repeated.FOLDED,
            List.of(
                tensor("", 1),
                tensor("..", 1),
                tensor("a\u001b[2J.\nb", 1),
                tensor("x.".repeat(20_000), 1),
                tensor("n.99999999999.y ", 1),
                tensor("n.007.y", 1)));

    assertTrue(tree.stream().anyMatch(l -> l.contains("a\\u001b[2J.\\nb")), tree::toString);
    assertTrue(tree.size() < 100, () -> "lines: " + tree.size());
    assertEquals(1, tree.stream().map(String::length).distinct().count());
  }

  @Test
  void noTensors() {
    assertEquals(2, tree(Repeated.FOLDED, List.of()).size());
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "9999, 9999",
    "10000, 10.0 K",
    "131072, 131 K",
    "999499, 999 K",
    "999500, 1.0 M",
    "8030261248, 8.0 B",
    "671026419200, 671 B",
    "1026000000000, 1.0 T",
  })
  void magnitudes(long count, String text) {
    assertEquals(text, TensorTree.magnitude(count));
  }
}
