package dev.reweave.cli;

import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.convert.AskedConversion;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;

/** What the lines of a list ask for: all options but those of the whole command. */
final class ListedRequests {
  private static final Map<String, Option<?>> OF_A_LINE =
      ConvertOptions.ALL.stream()
          .filter(option -> option.part() != Option.Part.COMMAND)
          .collect(Collectors.toMap(Option::key, option -> option));

  private final CommandLine command;
  private final Options given;

  /**
   * Requests of lists.
   *
   * @param given to the command, which counts where a line has nothing
   */
  ListedRequests(CommandLine command, Options given) {
    this.command = command;
    this.given = given.only(OF_A_LINE.values());
  }

  /**
   * Reads a whole list, so that nothing is begun if a line is wrong.
   *
   * @throws CommandLine.ParameterException with the number of that line
   * @throws dev.reweave.common.ReweaveException if the list cannot be read
   */
  List<AskedConversion> read(Stores stores, Location address) {
    List<AskedConversion> listed = new ArrayList<>();
    try {
      for (ConversionList.Line line : new ConversionList(OF_A_LINE).read(stores, address)) {
        listed.add(asked(stores, line));
      }
    } catch (ConversionList.BrokenList e) {
      throw new CommandLine.ParameterException(command, e.getMessage(), e);
    }
    return listed;
  }

  private AskedConversion asked(Stores stores, ConversionList.Line line) {
    try {
      Options asked = given;
      for (Map.Entry<String, String> member : line.members().entrySet()) {
        asked = DeclaredOptions.with(asked, OF_A_LINE.get(member.getKey()), member.getValue());
      }
      return AskedConversion.of(stores, asked);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(command, line.place() + ": " + e.getMessage(), e);
    }
  }
}
