package dev.reweave.convert;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ChunkSources;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.storage.BlockHosts;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The machines that hold most of what a chunk reads, for stores that know such, as HDFS does. A
 * store is asked once for each input file that something is read of.
 */
public final class PreferredHosts {
  /** Blocks that are remembered at most; files beyond that have no preferred machines. */
  private static final int MOST_BLOCKS = 500_000;

  private static final int MOST_HOSTS = 3;

  /**
   * Less of a chunk than this part on one machine is not worth the time that Spark waits for it.
   */
  private static final int LEAST_PART = 4;

  private final Stores stores;
  private final ConversionPlan plan;
  private final Map<Integer, List<BlockHosts>> blocks = new HashMap<>();
  private int remembered;

  /** Hosts for the chunks of a plan; asks the stores, once for each input file, when needed. */
  public PreferredHosts(Stores stores, ConversionPlan plan) {
    this.stores = stores;
    this.plan = plan;
  }

  /**
   * At most three machines, the one with most of the chunk's bytes first; none if no machine has a
   * quarter of them, and none that has less than half of what the first one has.
   */
  public List<String> of(Chunk chunk) {
    Map<String, Integer> counts = new TreeMap<>();
    List<ChunkSources.Sample> samples = ChunkSources.of(plan.files().get(chunk.file()), chunk);
    for (ChunkSources.Sample sample : samples) {
      hosts(sample).forEach(host -> counts.merge(host, 1, Integer::sum));
    }
    int most = counts.values().stream().mapToInt(c -> c).max().orElse(0);
    if (most == 0 || most < samples.size() / LEAST_PART) {
      return List.of();
    }
    List<Map.Entry<String, Integer>> found = new ArrayList<>(counts.entrySet());
    found.removeIf(host -> 2 * host.getValue() < most);
    found.sort(Map.Entry.comparingByValue(Comparator.reverseOrder()));
    return found.stream().limit(MOST_HOSTS).map(Map.Entry::getKey).toList();
  }

  private List<String> hosts(ChunkSources.Sample sample) {
    List<BlockHosts> ofFile = blocks.computeIfAbsent(sample.file(), this::ask);
    int low = 0;
    int high = ofFile.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ofFile.get(middle).end() <= sample.position()) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low == ofFile.size() ? List.of() : ofFile.get(low).hosts();
  }

  private List<BlockHosts> ask(int file) {
    InputFile input = plan.sources().get(file);
    List<BlockHosts> found = remembered < MOST_BLOCKS ? stores.blocks(input) : List.of();
    if (remembered + found.size() > MOST_BLOCKS) {
      found = List.of();
    }
    remembered += found.size();
    return found;
  }
}
