package dev.reweave.common;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/**
 * What the values of one JSON document may take of the memory: a share of the heap, counted while
 * it is read. A document of a few megabytes can hold millions of empty objects.
 */
public final class JsonBudget {
  /** Beside the values, their text is in memory. */
  private static final long SHARE = 3;

  // Bytes of what Java makes of a value, at least, with its place in what holds it.
  private static final int KEY = 96;
  private static final int TEXT = 64;
  private static final int NUMBER = 32;
  private static final int LIST = 104;
  private static final int OBJECT = 128;

  private final String place;
  private long left = Runtime.getRuntime().maxMemory() / SHARE;

  /**
   * A budget of which nothing is spent.
   *
   * @param place of the document, for messages
   */
  public JsonBudget(String place) {
    this.place = place;
  }

  /**
   * Walks over a document whose values are to be made; what is wrong with it is thrown as the
   * parser does.
   *
   * @throws ReweaveException if the memory cannot take them
   */
  public static void require(JsonParser parser, String place) throws IOException {
    JsonBudget budget = new JsonBudget(place);
    for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
      switch (token) {
        case FIELD_NAME -> budget.key(parser.currentName().length());
        case VALUE_STRING -> budget.text(parser.getTextLength());
        case START_OBJECT -> budget.object();
        case START_ARRAY -> budget.list();
        default -> budget.number();
      }
    }
  }

  /** Counts the key of a member, of so many characters. */
  public void key(int characters) {
    spend(KEY + (long) characters);
  }

  /** Counts a text of so many characters. */
  public void text(int characters) {
    spend(TEXT + (long) characters);
  }

  /** Counts a number. */
  public void number() {
    spend(NUMBER);
  }

  /** Counts a list, without its elements. */
  public void list() {
    spend(LIST);
  }

  /** Counts an object, without its members. */
  public void object() {
    spend(OBJECT);
  }

  private void spend(long bytes) {
    left -= bytes;
    if (left < 0) {
      throw ReweaveException.shortage(
          "the JSON holds more values than the memory can take",
          place,
          "give the process more memory if you trust the file");
    }
  }
}
