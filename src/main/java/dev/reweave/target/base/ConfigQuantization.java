package dev.reweave.target.base;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/**
 * Lets a {@code config.json} say nothing of a quantization that the weights no longer have: loaders
 * would take them for what it says. Nothing else in the file changes.
 */
public final class ConfigQuantization {
  private static final Set<String> KEYS = Set.of("quantization_config", "compression_config");

  private ConfigQuantization() {}

  /** Characters {@code [from, to)} of a member, from the quote of its key on. */
  private record Member(int from, int to) {}

  /**
   * The config without {@code quantization_config}, at the top and in configs that are nested in
   * it, such as {@code text_config}; the same bytes if it has none.
   *
   * @param json bytes of a config
   * @param place address of the config, for messages
   * @throws dev.reweave.common.ReweaveException if the config is not sound JSON
   */
  public static byte[] drop(byte[] json, String place) {
    String text = ConfigJson.text(json, place);
    List<Member> members = ConfigJson.walk(text, place, ConfigQuantization::members);
    if (members.isEmpty()) {
      return json;
    }
    StringBuilder left = new StringBuilder();
    int copied = 0;
    for (Member member : members) {
      Member whole = withComma(text, member);
      left.append(text, copied, whole.from());
      copied = whole.to();
    }
    return left.append(text, copied, text.length()).toString().getBytes(StandardCharsets.UTF_8);
  }

  /** A comma before it goes with it; one behind it where it is the first member. */
  private static Member withComma(String text, Member member) {
    int before = member.from() - 1;
    while (Character.isWhitespace(text.charAt(before))) {
      before--;
    }
    if (text.charAt(before) == ',') {
      return new Member(before, member.to());
    }
    int behind = member.to();
    while (Character.isWhitespace(text.charAt(behind))) {
      behind++;
    }
    return new Member(before + 1, text.charAt(behind) == ',' ? behind + 1 : member.to());
  }

  private static List<Member> members(JsonParser parser) throws IOException {
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
          members.add(new Member(start, (int) parser.currentLocation().getCharOffset()));
          start = -1;
        }
      } else if (token == JsonToken.FIELD_NAME
          && start < 0
          && Boolean.TRUE.equals(configs.peek())
          && KEYS.contains(parser.currentName())) {
        start = (int) parser.currentTokenLocation().getCharOffset();
        depth = configs.size();
      } else if (token.isScalarValue() && start >= 0 && configs.size() == depth) {
        start = -1; // null: it says nothing
      }
    }
    return members;
  }

  private static boolean isConfig(JsonParser parser, Deque<Boolean> parents) {
    if (parents.isEmpty()) {
      return true;
    }
    String name = parser.getParsingContext().getParent().getCurrentName();
    return parents.peek() && name != null && name.endsWith("_config");
  }
}
