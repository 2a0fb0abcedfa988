package dev.reweave.checkpoint.megatron;

import dev.reweave.common.Location;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The folder of one rank, as {@code get_checkpoint_name} in {@code
 * megatron/training/checkpointing.py} calls it: {@code mp_rank_01}, with pipeline stages {@code
 * mp_rank_01_002}, with expert-parallel ranks {@code mp_rank_01_003}, with both {@code
 * mp_rank_01_002_003}.
 *
 * @param numbers in its name: the tensor-parallel rank, and what follows it
 */
record RankFolder(Location folder, List<Integer> numbers) {
  private static final Pattern NAME =
      Pattern.compile("mp_rank_(\\d{2,6})(?:_(\\d{3,6}))?(?:_(\\d{3,6}))?");

  RankFolder {
    numbers = List.copyOf(numbers);
  }

  /** Those among folders, in the order of their numbers. */
  static List<RankFolder> among(List<Location> folders) {
    return folders.stream()
        .flatMap(folder -> of(folder).stream())
        .sorted(Comparator.comparing(RankFolder::key))
        .toList();
  }

  private static Optional<RankFolder> of(Location folder) {
    Matcher matcher = NAME.matcher(folder.name());
    if (!matcher.matches()) {
      return Optional.empty();
    }
    List<Integer> numbers = new ArrayList<>();
    for (int group = 1; group <= matcher.groupCount(); group++) {
      if (matcher.group(group) != null) {
        numbers.add(Integer.parseInt(matcher.group(group)));
      }
    }
    return Optional.of(new RankFolder(folder, numbers));
  }

  private String key() {
    StringBuilder key = new StringBuilder();
    numbers.forEach(number -> key.append(String.format("%08d.", number)));
    return key.toString();
  }

  /** The name of another rank's folder. */
  static String name(List<Integer> numbers) {
    StringBuilder name = new StringBuilder(String.format("mp_rank_%02d", numbers.get(0)));
    numbers.subList(1, numbers.size()).forEach(n -> name.append(String.format("_%03d", n)));
    return name.toString();
  }
}
