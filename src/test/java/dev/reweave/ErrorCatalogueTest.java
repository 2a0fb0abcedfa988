package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The manual's catalogue of errors is that of the code. */
class ErrorCatalogueTest {
  private static final boolean RECORDING = System.getProperty("errors", "").equals("record");

  @Test
  void hasARowForEachErrorThatAFactoryMakes() throws IOException {
    ErrorFactories factories = new ErrorFactories(HouseSources.read());
    String page = ErrorPage.read().with(factories.entries(), factories);
    if (RECORDING) {
      Files.writeString(ErrorPage.FILE, page);
    }

    assertEquals(
        page,
        Files.readString(ErrorPage.FILE),
        "the catalogue is not that of the code; run this test with -Derrors=record");
  }

  @Test
  void hasAPlaceForEachKind() throws IOException {
    assertEquals(
        Stream.of(Kind.values()).map(Kind::toString).sorted().toList(),
        ErrorPage.read().kinds().stream().sorted().toList());
  }

  /** Of what no factory makes. */
  @Test
  void rowsByHandAreOfTheCode() throws IOException {
    HouseSources sources = HouseSources.read();
    List<String> texts = new ErrorTexts(sources).all();
    List<String> strange =
        ErrorPage.read().messagesByHand().stream()
            .filter(message -> texts.stream().noneMatch(text -> holds(text, message)))
            .toList();

    assertEquals(List.of(), strange);
  }

  private static boolean holds(String text, String message) {
    int at = 0;
    for (String part : message.split(ErrorTexts.COMPUTED, -1)) {
      at = text.indexOf(part.strip(), at);
      if (at < 0) {
        return false;
      }
    }
    return true;
  }

  @Test
  void noOtherPartOfTheManualNamesKindsThatAreNot() throws IOException {
    Pattern kind = Pattern.compile("\"kind\":\"([^\"]+)\"");
    List<String> named = new ArrayList<>();
    for (Path page : ManualPages.all()) {
      kind.matcher(Files.readString(page)).results().forEach(k -> named.add(k.group(1)));
    }
    assertTrue(!named.isEmpty());
    assertTrue(ErrorPage.read().kinds().containsAll(named), named.toString());
  }
}
