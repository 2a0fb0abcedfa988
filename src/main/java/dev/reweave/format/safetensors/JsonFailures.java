package dev.reweave.format.safetensors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import dev.reweave.common.ReweaveException;
import java.nio.charset.CharacterCodingException;

/** What is wrong with the JSON of a header or an index. */
final class JsonFailures {
  private JsonFailures() {}

  /** The file is damaged, or something else than it should be. */
  private static ReweaveException broken(String problem, StrictJson.Source source) {
    return new ReweaveException(problem, source.place(), source.remedy());
  }

  /** The file is damaged, or something else than it should be. */
  private static ReweaveException broken(
      String problem, StrictJson.Source source, Throwable cause) {
    return new ReweaveException(problem, source.place(), source.remedy(), cause);
  }

  static ReweaveException notUtf8(StrictJson.Source source, CharacterCodingException cause) {
    return broken("text is not valid UTF-8", source, cause);
  }

  static ReweaveException beyondLimits(StrictJson.Source source, StreamConstraintsException cause) {
    return broken("JSON is nested too deep or has too long a number", source, cause);
  }

  static ReweaveException notJson(StrictJson.Source source, JsonProcessingException cause) {
    long position = cause.getLocation().getCharOffset();
    return broken("text is not valid JSON near character " + position, source, cause);
  }

  static ReweaveException textBehindEnd(StrictJson.Source source) {
    return broken("text after the end of the JSON", source);
  }

  static ReweaveException keyTwice(String key, String what, StrictJson.Source source) {
    return broken("key '" + StrictJson.abbreviated(key) + "' is twice in " + what, source);
  }

  static ReweaveException isNot(String expected, String what, StrictJson.Source source) {
    return broken(what + " is not " + expected, source);
  }

  static ReweaveException tooLarge(String what, StrictJson.Source source) {
    return broken(what + " is too large a number", source);
  }

  static ReweaveException hasTooLarge(String what, StrictJson.Source source) {
    return broken(what + " has too large a number", source);
  }

  static ReweaveException tooMany(String what, int most, StrictJson.Source source) {
    return broken(what + " has more than " + most + " numbers", source);
  }

  static ReweaveException halfSurrogate(StrictJson.Source source) {
    return broken("text has half a surrogate pair", source);
  }

  static ReweaveException missing(String what, StrictJson.Source source) {
    return broken("there are no " + what, source);
  }

  static ReweaveException notFileName(String what, String name, StrictJson.Source source) {
    return broken(
        what + ", '" + StrictJson.abbreviated(name) + "', is not a plain file name", source);
  }
}
