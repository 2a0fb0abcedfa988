package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorNamesTest {
  private static final String RENAME =
      ": model.pt; rename or drop the tensor where it was saved: this is no name of a parameter";

  private static String message(String... names) {
    return assertThrows(
            ReweaveException.class, () -> TensorNames.require(List.of(names), "model.pt"))
        .getMessage();
  }

  @Test
  void anyCharacterIsAllowed() {
    List<String> names =
        List.of(
            "a.weight", "A.weight", "a\nb", "\u001b[2J", "é", "重み", "😀", "../a", "n".repeat(4096));
    assertDoesNotThrow(() -> TensorNames.require(names, "model.pt"));
  }

  @Test
  void emptyNames() {
    assertEquals("a tensor has an empty name" + RENAME, message("a", ""));
  }

  @Test
  void longNames() {
    assertEquals(
        "the name '" + "n".repeat(200) + "…' has 4097 bytes, more than 4096" + RENAME,
        message("n".repeat(4097)));
    assertEquals(
        "the name '" + "重".repeat(200) + "…' has 65536 bytes, more than 4096" + RENAME,
        message("重".repeat(21845) + "n"));
  }

  @Test
  void loneSurrogates() {
    assertEquals(
        "the name 'a\\ud83d' has half a surrogate pair, which UTF-8 cannot write" + RENAME,
        message("a\ud83d"));
    assertEquals(
        "the name '\\ude00a' has half a surrogate pair, which UTF-8 cannot write" + RENAME,
        message("\ude00a"));
  }

  @Test
  void metadata() {
    assertEquals(
        "the name '__metadata__' means metadata in a safetensors file" + RENAME,
        message("__metadata__"));
  }

  @Test
  void namesThatAreTheSame() {
    assertEquals(
        "two tensors are called 'a\\nb': model.pt; keep one of them where it was saved",
        message("a\nb", "c", "a\nb"));
    assertEquals(
        "the names 'caf\\u00e9' and 'cafe\\u0301' are the same text in two spellings of Unicode:"
            + " model.pt; rename one of them where it was saved",
        message("caf\u00e9", "cafe\u0301"));
  }
}
