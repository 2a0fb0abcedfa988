package dev.reweave.common;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "a.weight", "é 重み 😀", "C:\\models", "\\u001b"})
  void leavesVisibleTextAlone(String text) {
    assertSame(text, Printable.text(text));
  }

  @Test
  void escapesWhatDrivesATerminal() {
    assertEquals("a\\u001b[2Jb", Printable.text("a\u001b[2Jb"));
    assertEquals("\\u009b31m", Printable.text("\u009b31m"));
    assertEquals("a\\nreweave: good", Printable.text("a\nreweave: good"));
    assertEquals("\\u000d\\u0008\\u0000\\u007f", Printable.text("\r\b\0\177"));
    assertEquals("\\u202egnp.exe\\u2028", Printable.text("\u202egnp.exe\u2028"));
    assertEquals("\\ud83dx\\ude00", Printable.text("\ud83dx\ude00"));
  }

  @Test
  void linesKeepWhatIndentsThem() {
    assertEquals(
        "a\\u001b[2J\n\tat b\\u0009c\n\\u000bd",
        Printable.lines("a\u001b[2J\n\tat b\tc\r\n\u000bd\n"));
  }

  @Test
  void everyMessageIsEscaped() {
    ReweaveException e = new ReweaveException("bad \u001b[1m", "file\nb", "go\7");
    assertEquals("bad \\u001b[1m: file\\nb; go\\u0007", e.getMessage());
    assertEquals("bad \\u001b[1m", e.problem());
    assertEquals("file\\nb", e.place());
    assertEquals("go\\u0007", e.remedy());
  }
}
