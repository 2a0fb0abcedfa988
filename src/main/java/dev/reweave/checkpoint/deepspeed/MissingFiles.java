package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * Files of a step that should be there and are not. All are told in one message: who copies one and
 * runs again would else be told of the next. Ranks and experts are numbered as in names of files,
 * from 0.
 */
final class MissingFiles {
  private static final int MOST = 8;

  /** What files say of their number can be anything. */
  private static final long MOST_COUNTED = Long.MAX_VALUE / 1_000_000;

  private final Set<String> problems = new LinkedHashSet<>();
  private final List<String> files = new ArrayList<>();
  private long count;

  /** The data-parallel ranks that have all of their files. */
  private final Set<Integer> wholeRanks = new HashSet<>();

  private long dataRanks;

  /**
   * Adds the data-parallel ranks that have no file among these.
   *
   * @param there one of each rank, at least one
   * @param of number of ranks
   */
  void addDataRanks(List<RankFile> there, long of) {
    Set<Integer> present = there.stream().map(RankFile::dataRank).collect(Collectors.toSet());
    if (dataRanks == 0) {
      wholeRanks.addAll(present);
    }
    wholeRanks.retainAll(present);
    dataRanks = Math.max(dataRanks, of);
    String uri = there.get(0).file().uri();
    String folder = uri.substring(0, uri.lastIndexOf('/') + 1);
    first(present, of).forEach(rank -> files.add(folder + there.get(0).nameOfRank(rank)));
    count += Math.min(MOST_COUNTED, of - present.size());
  }

  /**
   * Adds what is not among these numbers.
   *
   * @param what has numbers, such as {@code rank}
   * @param of how many there are
   * @param all the same in words
   * @param addresses of the files of one
   */
  void addNumbered(
      String what, Set<Integer> there, long of, String all, IntFunction<List<String>> addresses) {
    long missing = of - there.size();
    if (missing > 0) {
      List<Integer> named = first(there, of);
      named.forEach(number -> files.addAll(addresses.apply(number)));
      count += Math.min(MOST_COUNTED, missing) * addresses.apply(named.get(0)).size();
      problems.add(missing(what, named, missing) + ", of " + all + upTo(of));
    }
  }

  /** Adds a file. */
  void add(String problem, String address) {
    problems.add(problem);
    files.add(address);
    count++;
  }

  /**
   * Tells of them.
   *
   * @throws ReweaveException if there are any
   */
  void requireNone() {
    long missing = dataRanks - wholeRanks.size();
    if (missing > 0) {
      problems.add(
          missing("rank", first(wholeRanks, dataRanks), missing)
              + ", of "
              + dataRanks
              + " data-parallel ranks"
              + upTo(dataRanks));
    }
    if (!problems.isEmpty()) {
      throw RankFileFailures.missing(problem(), place());
    }
  }

  /** The first numbers that are not among these. */
  private static List<Integer> first(Set<Integer> present, long of) {
    return LongStream.range(0, Math.min(of, present.size() + (long) MOST))
        .mapToInt(Math::toIntExact)
        .filter(number -> !present.contains(number))
        .limit(MOST)
        .boxed()
        .toList();
  }

  private static String missing(String what, List<Integer> named, long count) {
    String numbers = named.stream().map(String::valueOf).collect(Collectors.joining(", "));
    long more = count - named.size();
    return count == 1
        ? what + " " + numbers + " is missing"
        : what + "s " + numbers + (more > 0 ? " and " + more + " more" : "") + " are missing";
  }

  private static String upTo(long of) {
    return of > 1 ? ", numbered 0 to " + (of - 1) : "";
  }

  private String problem() {
    int more = problems.size() - MOST;
    return problems.stream().limit(MOST).collect(Collectors.joining(", and "))
        + (more > 0 ? ", and " + more + " more of the kind" : "");
  }

  /** The first in full, some of the others by their names. */
  private String place() {
    StringBuilder place = new StringBuilder(files.get(0));
    int named = Math.min(MOST, files.size());
    for (String uri : files.subList(1, named)) {
      place.append(", ").append(uri.substring(uri.lastIndexOf('/') + 1));
    }
    long more = count - named;
    return place + (more > 0 ? " and " + more + (more == 1 ? " more file" : " more files") : "");
  }
}
