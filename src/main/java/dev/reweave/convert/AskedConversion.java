package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.storage.Stores;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the user asks for, before it is known which steps that is.
 *
 * @param input the checkpoint
 * @param output where each result goes
 */
public record AskedConversion(Location input, OutputTemplate output, ConversionOptions options) {
  /** The address of the checkpoint. */
  public static final Option<Optional<String>> INPUT =
      Option.text("input", "URI")
          .letter("i")
          .under(Option.Theme.READING)
          .help(
              "The folder with 'latest', a tag folder in it, the folder of a model in safetensors"
                  + " or pytorch_model.bin files, or one such file.");

  /** The address of the folder for the result. */
  public static final Option<Optional<OutputTemplate>> OUTPUT =
      Option.unwritten(
              "output",
              "URI",
              Optional.<OutputTemplate>empty(),
              text -> Optional.of(new OutputTemplate(text)))
          .about(Option.Part.CONVERSION)
          .letter("o")
          .under(Option.Theme.RESULT)
          .help(
              "The folder for the result: new or empty. {tag} in it stands for the saved step,"
                  + " {date} for the day on which the command began, in UTC, such as 2026-01-31.");

  private static final String ALL = "all";
  private static final String NEW = "new";

  /**
   * Checks that the output of several steps has their tags, and that of their mean has none.
   *
   * @throws IllegalArgumentException if it has not
   */
  public AskedConversion {
    if (isOfSeveral(options) && !output.namesTag()) {
      throw new IllegalArgumentException(
          "--tag "
              + options.reading().tag().orElseThrow()
              + " needs an output for each step: put {tag} in --output, as in models/{tag}");
    }
    if (options.reading().averaged().isPresent() && output.namesTag()) {
      throw new IllegalArgumentException(
          "--average-tags makes one result of several steps: leave {tag} out of --output");
    }
  }

  /**
   * What was given.
   *
   * @throws IllegalArgumentException if it does not go together, or something is missing
   */
  public static AskedConversion of(Stores stores, Options given) {
    String input = required(INPUT, given);
    OutputTemplate output = required(OUTPUT, given);
    return new AskedConversion(stores.locate(input), output, ConversionOptions.of(stores, given));
  }

  private static <T> T required(Option<Optional<T>> option, Options given) {
    return given
        .of(option)
        .orElseThrow(() -> new IllegalArgumentException(option.name() + " is needed"));
  }

  /** Where its tasks read and write: for each place that the output may name, one such. */
  public List<Location> addresses(Stores stores, LocalDate date) {
    List<Location> addresses = new ArrayList<>(List.of(input));
    addresses.add(output.fill(stores, Optional.of("tag"), date));
    options.base().ifPresent(base -> addresses.add(base.address()));
    return addresses;
  }

  /** Whether steps are asked for that may be several: {@code all} or {@code new}. */
  public boolean isOfSeveral() {
    return isOfSeveral(options);
  }

  private static boolean isOfSeveral(ConversionOptions options) {
    return options.reading().tag().filter(tag -> tag.equals(ALL) || tag.equals(NEW)).isPresent();
  }

  /** Whether steps are not asked for that have a finished result. */
  boolean isOfNewAlone() {
    return options.reading().tag().filter(NEW::equals).isPresent();
  }
}
