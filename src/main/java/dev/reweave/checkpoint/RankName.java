package dev.reweave.checkpoint;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a file that one of several ranks saved, in which it has its part of each tensor, and
 * which says nothing of how they were cut. Taken for a model, it would be one of short tensors.
 */
public final class RankName {
  /**
   * {@code consolidated.00.pth} of Meta, {@code model0-mp8.safetensors} of DeepSeek, and ranks by
   * that word: {@code model_world_size_8_rank_0.pt} of verl, {@code pytorch_model_rank0.bin} of
   * Accelerate, {@code model-rank-0-part-0.safetensors} of vLLM, {@code rank0.safetensors} of
   * TensorRT-LLM.
   */
  private static final List<Pattern> NUMBERS =
      List.of(
          Pattern.compile("(?<=^consolidated\\.)\\d{2}(?=\\.(pth|pt|bin)$)"),
          Pattern.compile("(?<=model)\\d{1,4}(?=-mp\\d{1,4}\\.)"),
          Pattern.compile("(?i)(?<=(?<![a-z])rank[-_.]?)\\d{1,5}"));

  private static final Pattern OF_META = Pattern.compile("consolidated\\.(?<rank>\\d{2})\\.\\w+");

  /** Of the files of one rank, where it writes several. */
  private static final Pattern PART = Pattern.compile("(?<=-part-)\\d{1,5}");

  private static final Pattern WORLD =
      Pattern.compile("(world_size_|model\\d{1,4}-mp)(?<ranks>\\d{1,6})\\D.*");

  private RankName() {}

  /**
   * Refuses the file of one rank of several, as its name and those beside it tell.
   *
   * @throws ReweaveException if it is one
   */
  public static void requireOnly(Stores stores, InputFile file) {
    String set = set(file.name());
    if (set.equals(file.name())) {
      return;
    }
    long ranks = said(file.name()).orElseGet(() -> ranks(stores, file, set));
    if (ranks > 1) {
      throw CheckpointFailures.oneOfRanks(ranks, file.uri());
    }
  }

  /**
   * What to say of the files of several ranks that hold plain tensors alone.
   *
   * @param place one of them
   */
  public static ReweaveException notCut(long ranks, String place) {
    return CheckpointFailures.oneOfRanks(ranks, place);
  }

  /** What the names of all ranks have in common; the name itself if it tells of no rank. */
  private static String set(String name) {
    String set = name;
    for (Pattern number : NUMBERS) {
      set = number.matcher(set).replaceAll("#");
    }
    return set.equals(name) ? name : PART.matcher(set).replaceAll("#");
  }

  /** How many ranks there are at least, as one name tells. */
  private static OptionalLong said(String name) {
    Matcher first = OF_META.matcher(name);
    if (first.matches() && Integer.parseInt(first.group("rank")) > 0) {
      return OptionalLong.of(Integer.parseInt(first.group("rank")) + 1L);
    }
    Matcher world = WORLD.matcher(name);
    return world.find()
        ? OptionalLong.of(Long.parseLong(world.group("ranks")))
        : OptionalLong.empty();
  }

  /**
   * The files of a set in which there is a first. Adapters tell another rank in their names, the
   * lengths of their matrices, which is never 0.
   */
  private static long ranks(Stores stores, InputFile file, String set) {
    List<String> names =
        stores.list(file.folder()).files().stream()
            .map(InputFile::name)
            .filter(name -> set(name).equals(set))
            .map(name -> PART.matcher(name).replaceAll("#"))
            .distinct()
            .toList();
    return names.stream().anyMatch(RankName::isFirst) ? names.size() : 1;
  }

  private static boolean isFirst(String name) {
    for (Pattern number : NUMBERS) {
      if (number.matcher(name).results().anyMatch(r -> Integer.parseInt(r.group()) > 0)) {
        return false;
      }
    }
    return true;
  }
}
