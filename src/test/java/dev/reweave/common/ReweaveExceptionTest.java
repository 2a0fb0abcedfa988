package dev.reweave.common;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Messages stay readable, whatever a file brings into them. */
class ReweaveExceptionTest {
  private static final String LONG = "n".repeat(3_000_000);

  @Test
  void longNamesAreShortenedInTheMiddle() {
    ReweaveException e =
        new ReweaveException(
            "tensor '" + LONG + "' is missing", "s3a://b/in.pt at " + LONG + ".w", "copy it again");

    String message = e.getMessage();
    assertTrue(message.length() < 8192, message.length() + " characters");
    assertTrue(message.startsWith("tensor 'nnn"), message);
    assertTrue(
        message.contains("nnn … (3000020 characters) … ' is missing: s3a://b/in.pt at nnn"),
        message);
    assertTrue(message.endsWith("; copy it again"), message);
    assertEquals("copy it again", e.remedy());
  }

  @Test
  void allPartsMayBeLong() {
    ReweaveException e = new ReweaveException(LONG, LONG, LONG);

    assertTrue(e.getMessage().length() < 8192, e.getMessage().length() + " characters");
  }

  @Test
  void whatIsShownEscapedCountsAsItIsShown() {
    ReweaveException e = new ReweaveException("\u001b".repeat(100_000), "here", "do this");

    assertTrue(e.getMessage().length() < 8192, e.getMessage().length() + " characters");
    assertTrue(e.getMessage().endsWith(" characters) … : here; do this"), e.getMessage());
  }

  @Test
  void nothingIsCutOffOfMessagesOfSomeLines() {
    String problem = "p".repeat(2000);

    assertEquals(
        problem + ": here; do this", new ReweaveException(problem, "here", "do this").getMessage());
  }

  /** Where a text is cut, no part of a password or signature may be left. */
  @Test
  void secretsThatAreCutAreNotShown() {
    for (int length : List.of(900, 1000, 1010, 1024, 1500, 4000, 100_000)) {
      String secret = "sesame".repeat(length / 6);
      for (String text :
          List.of(
              "s3a://user:" + secret + "@bucket/path",
              "https://host/file?signature=" + secret,
              "x".repeat(length) + " s3a://user:" + secret + "@bucket/path",
              "https://host/" + "y".repeat(length) + "?signature=" + secret)) {
        String shown = new ReweaveException(text, "here", "do this").getMessage();
        assertFalse(shown.contains("sesame"), length + ": " + shown);
      }
    }
  }

  /** Looking for secrets takes time that grows with the square of some texts. */
  @Test
  void longTextsThatLookLikeAddresses() {
    for (String text : List.of("a.", "://:", "a://", ":", "@")) {
      String message = new ReweaveException(text.repeat(1 << 20), "here", "do this").getMessage();

      assertTrue(message.length() < 8192, text);
    }
  }
}
