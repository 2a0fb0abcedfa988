package dev.reweave.common;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What was given of options; all others are as they are by default.
 *
 * @param given by option, its value
 */
public record Options(Map<Option<?>, Object> given) {
  /** All as by default. */
  public static final Options NONE = new Options(Map.of());

  public Options {
    given = Map.copyOf(given);
  }

  /** Whether it was given. */
  public boolean has(Option<?> option) {
    return given.containsKey(option);
  }

  /** Its value. */
  @SuppressWarnings("unchecked") // What was put in was one of its values.
  public <T> T of(Option<T> option) {
    return (T) given.getOrDefault(option, option.values().standard());
  }

  /**
   * The same with this value.
   *
   * @throws IllegalArgumentException if the option cannot have it
   */
  public <T> Options with(Option<T> option, T value) {
    Map<Option<?>, Object> all = new HashMap<>(given);
    all.put(option, option.values().sound().apply(value));
    return new Options(all);
  }

  /**
   * The same with the value of a text.
   *
   * @throws IllegalArgumentException if it is none
   */
  public <T> Options parse(Option<T> option, String text) {
    return with(option, option.parse(text));
  }

  /** The values of these alone, with those that are as by default. */
  public Options complete(Collection<? extends Option<?>> options) {
    Map<Option<?>, Object> all = new HashMap<>();
    options.forEach(option -> all.put(option, of(option)));
    return new Options(all);
  }

  /** What was given of these alone. */
  public Options only(Collection<? extends Option<?>> options) {
    Map<Option<?>, Object> some = new HashMap<>(given);
    some.keySet().retainAll(options);
    return new Options(some);
  }

  /** All of both; what is in the others counts. */
  public Options and(Options others) {
    Map<Option<?>, Object> all = new HashMap<>(given);
    all.putAll(others.given);
    return new Options(all);
  }

  /** By key, what decides the result and is not as by default. */
  public SortedMap<String, Object> decisive() {
    SortedMap<String, Object> decisive = new TreeMap<>();
    given.forEach(
        (option, value) -> {
          if (option.part() == Option.Part.RESULT && !value.equals(option.values().standard())) {
            decisive.put(option.key(), value);
          }
        });
    return decisive;
  }
}
