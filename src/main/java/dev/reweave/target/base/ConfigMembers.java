package dev.reweave.target.base;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Takes members out of a {@code config.json}, of which nothing else changes. */
final class ConfigMembers {
  private ConfigMembers() {}

  /** Which members are taken out. */
  @FunctionalInterface
  interface Wanted {
    /**
     * Whether this one is.
     *
     * @param depth 1 at the top, more in configs that are nested in it
     */
    boolean is(int depth, String key);
  }

  /** Characters {@code [from, to)} of a member, from the quote of its key on. */
  private record Member(int from, int to) {}

  /**
   * The config without these members, at the top and in configs that are nested in it, such as
   * {@code text_config}; the same bytes if it has none. Members that are null stay.
   *
   * @param json bytes of a config
   * @param place address of the config, for messages
   * @throws dev.reweave.common.ReweaveException if the config is not sound JSON
   */
  static byte[] without(byte[] json, String place, Wanted dropped) {
    String text = ConfigJson.text(json, place);
    List<Member> members = ConfigJson.walk(text, place, parser -> members(parser, dropped));
    if (members.isEmpty()) {
      return json;
    }
    StringBuilder left = new StringBuilder();
    int copied = 0;
    for (Member member : members) {
      Member whole = withComma(text, member, copied);
      left.append(text, copied, whole.from());
      copied = whole.to();
    }
    return left.append(text, copied, text.length()).toString().getBytes(StandardCharsets.UTF_8);
  }

  /** A comma before it goes with it; one behind it where it is the first member. */
  private static Member withComma(String text, Member member, int copied) {
    int before = member.from() - 1;
    while (Character.isWhitespace(text.charAt(before))) {
      before--;
    }
    // A comma that went with the member before this one leaves this one as the first.
    if (text.charAt(before) == ',' && before >= copied) {
      return new Member(before, member.to());
    }
    int behind = member.to();
    while (Character.isWhitespace(text.charAt(behind))) {
      behind++;
    }
    return new Member(
        Math.max(before + 1, copied), text.charAt(behind) == ',' ? behind + 1 : member.to());
  }

  private static List<Member> members(JsonParser parser, Wanted dropped) throws IOException {
    List<Member> members = new ArrayList<>();
    Deque<Boolean> configs = new ArrayDeque<>();
    int start = -1;
    int depth = 0;
    for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
      if (token.isStructStart()) {
        configs.push(token == JsonToken.START_OBJECT && isConfig(parser, configs));
      } else if (token.isStructEnd()) {
        configs.pop();
        if (start >= 0 && configs.size() == depth) {
          members.add(new Member(start, end(parser)));
          start = -1;
        }
      } else if (token == JsonToken.FIELD_NAME
          && start < 0
          && Boolean.TRUE.equals(configs.peek())
          && dropped.is(configs.size(), parser.currentName())) {
        start = (int) parser.currentTokenLocation().getCharOffset();
        depth = configs.size();
      } else if (token.isScalarValue() && start >= 0 && configs.size() == depth) {
        if (token != JsonToken.VALUE_NULL) {
          members.add(new Member(start, end(parser)));
        }
        start = -1; // null: it says nothing
      }
    }
    return members;
  }

  /** Where the value ends that the parser stands at, which is read to its end. */
  private static int end(JsonParser parser) throws IOException {
    parser.finishToken();
    return (int) parser.currentLocation().getCharOffset();
  }

  private static boolean isConfig(JsonParser parser, Deque<Boolean> parents) {
    if (parents.isEmpty()) {
      return true;
    }
    String name = parser.getParsingContext().getParent().getCurrentName();
    return parents.peek() && name != null && name.endsWith("_config");
  }
}
