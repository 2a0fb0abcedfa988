package dev.reweave.common;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An option of commands, declared once: the command line and its help, the lines of {@code --list},
 * {@code --again}, the manifest and the manual are made from it. Two with one key are the same.
 *
 * @param <T> its values
 * @param key as on the command line, without dashes
 * @param part what it says something of
 * @param recorded its key in manifests; empty if they do not have it
 */
public record Option<T>(String key, Values<T> values, Texts texts, Part part, String recorded) {
  /** In a label; what stands for a value of the user's is in capitals. */
  private static final Pattern WORD = Pattern.compile("[a-z][a-z0-9-]*");

  /** What an option says something of, which decides where else it can stand. */
  public enum Part {
    /** Of the result: {@code --again} takes it from the manifest. */
    RESULT,
    /** Of how one conversion is done. */
    CONVERSION,
    /** Of the whole command: no line of a list can have it. */
    COMMAND
  }

  /** Under which heading help tells of an option; in this order. */
  public enum Theme {
    /** Which weights of what is read. */
    READING("Reading"),
    /** Models with an adapter in them. */
    ADAPTERS("Adapters"),
    /** The model that a result should look like, and the names that it has. */
    BASE("Base and names"),
    /** What the result looks like, and where it goes. */
    RESULT("Result"),
    /** What is compared, and what is an error. */
    CHECKS("Checks"),
    /** What the command does, and when. */
    RUNS("Runs"),
    /** Where it is noted what was made. */
    TABLES("Tables"),
    /** What a store and the machines are asked for. */
    STORES("Stores and speed"),
    /** What is printed, and in what form. */
    PRINTED("What is printed"),
    /** All that is declared without a theme. */
    GENERAL("General");

    private final String title;

    Theme(String title) {
      this.title = title;
    }

    /** The heading. */
    public String title() {
      return title;
    }
  }

  /**
   * What an option can be.
   *
   * @param label what stands for its value in the help; empty if it is given without one
   * @param standard what it is if it is not given
   * @param written the same as a text; empty if nobody writes that
   * @param parser gives the value of a text, or an {@link IllegalArgumentException}
   * @param sound gives the value as it is used, or the same
   */
  public record Values<T>(
      String label,
      T standard,
      String written,
      Function<String, T> parser,
      UnaryOperator<T> sound) {}

  /**
   * What people are told of an option.
   *
   * @param letter its short name, or empty
   * @param help a sentence or two, with picocli's marks
   * @param more what the manual says behind it, in Markdown
   * @param theme where they are told of it
   */
  public record Texts(String letter, String help, String more, Theme theme) {}

  private static <T> Option<T> of(
      String key, String label, T standard, String written, Function<String, T> parser) {
    Values<T> values = new Values<>(label, standard, written, parser, UnaryOperator.identity());
    return new Option<>(key, values, new Texts("", "", "", Theme.GENERAL), Part.RESULT, "");
  }

  /** An option with a value that can also be given as it is by default. */
  public static <T> Option<T> of(
      String key, String label, String written, Function<String, T> parser) {
    return of(key, label, parser.apply(written), written, parser);
  }

  /** An option with a value that nobody writes as it is by default. */
  public static <T> Option<T> unwritten(
      String key, String label, T standard, Function<String, T> parser) {
    return of(key, label, standard, "", parser);
  }

  /** An option with a text that there need not be. */
  public static Option<Optional<String>> text(String key, String label) {
    return unwritten(key, label, Optional.empty(), Optional::of);
  }

  /** An option whose values are constants. */
  public static <E extends Enum<E>> Option<E> choice(String key, E standard) {
    List<E> all = Arrays.asList(standard.getDeclaringClass().getEnumConstants());
    return of(key, written(all, "|"), written(standard), text -> among(all, text));
  }

  /** An option that is given without a value. */
  public static <T> Option<T> flag(String key, T off, T on) {
    return toggle(key, off, off, on);
  }

  /** The same with an opposite that can be given as well. */
  public static <T> Option<T> toggle(String key, T standard, T off, T on) {
    return unwritten(
        key,
        "",
        standard,
        text -> {
          if (text.equalsIgnoreCase("true") || text.equals(written(on))) {
            return on;
          }
          if (text.equalsIgnoreCase("false") || text.equals(written(off))) {
            return off;
          }
          throw new IllegalArgumentException("'" + text + "' is neither true nor false");
        });
  }

  /**
   * The one that is written so.
   *
   * @throws IllegalArgumentException if it is none of them
   */
  public static <T> T among(List<T> all, String text) {
    return all.stream()
        .filter(value -> written(value).equalsIgnoreCase(text))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException("'" + text + "' is not one of " + written(all, ", ")));
  }

  private static String written(List<?> values, String between) {
    return values.stream().map(Option::written).collect(Collectors.joining(between));
  }

  /** A value as it is written, such as {@code like-base}; empty for nothing. */
  public static String written(Object value) {
    if (value instanceof Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
    return String.valueOf(
        value instanceof Optional<?> o ? o.map(Option::written).orElse("") : value);
  }

  /** The same with this sentence for its help. */
  public Option<T> help(String sentence) {
    return with(new Texts(texts.letter, sentence, texts.more, texts.theme));
  }

  /** The same, and the manual says more of it. */
  public Option<T> more(String markdown) {
    return with(new Texts(texts.letter, texts.help, markdown, texts.theme));
  }

  /** The same with a short name. */
  public Option<T> letter(String letter) {
    return with(new Texts(letter, texts.help, texts.more, texts.theme));
  }

  /** The same under another heading. */
  public Option<T> under(Theme theme) {
    return with(new Texts(texts.letter, texts.help, texts.more, theme));
  }

  private Option<T> with(Texts others) {
    return new Option<>(key, values, others, part, recorded);
  }

  /** The same of another part. */
  public Option<T> about(Part other) {
    return new Option<>(key, values, texts, other, recorded);
  }

  /** The same under this key in manifests. */
  public Option<T> recordedAs(String name) {
    return new Option<>(key, values, texts, part, name);
  }

  /** The same with a check of its values, which can also give them another form. */
  public Option<T> checked(UnaryOperator<T> sound) {
    Values<T> checked =
        new Values<>(
            values.label, sound.apply(values.standard), values.written, values.parser, sound);
    return new Option<>(key, checked, texts, part, recorded);
  }

  /** As it is given: {@code --key}. */
  public String name() {
    return "--" + key;
  }

  /** The values that are words of its own, such as {@code master} and {@code model}. */
  public List<String> words() {
    return Stream.of(values.label.split("\\|", -1)).filter(WORD.asMatchPredicate()).toList();
  }

  /** Whether it is given without a value. */
  public boolean isFlag() {
    return values.label.isEmpty();
  }

  /** Whether it is given without a value, and its opposite as well. */
  public boolean isToggle() {
    return isFlag() && !parse("false").equals(values.standard);
  }

  /**
   * The value of a text.
   *
   * @throws IllegalArgumentException if it is none
   */
  public T parse(String text) {
    return values.sound.apply(values.parser.apply(text));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Option<?> option && option.key.equals(key);
  }

  @Override
  public int hashCode() {
    return key.hashCode();
  }
}
