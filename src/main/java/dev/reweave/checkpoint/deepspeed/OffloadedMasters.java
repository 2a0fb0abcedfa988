package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.PartitionedLayout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * fp32 masters that ZeRO-3 keeps on NVMe. Since 0.13 {@code DeepSpeedEngine.save_checkpoint} copies
 * the swapped files to {@code offloaded_tensors} beside the ranks' files, since 0.18 into a folder
 * per rank; in the optimizer states file such a sub-group is an empty tensor. A file is called
 * after the sub-group's {@code ds_id}, holds its elements alone, and is padded at its end ({@code
 * OptimizerSwapper}). Files of the moments, such as {@code exp_avg-0_7.tensor.swp}, are left.
 */
final class OffloadedMasters {
  static final String FOLDER = "offloaded_tensors";
  private static final String SUFFIX = ".tensor.swp";
  private static final Pattern MASTER = Pattern.compile("\\d+(?:_\\d+)*\\.tensor\\.swp");
  private static final Pattern RANK = Pattern.compile("rank(\\d{1,9})");

  private final List<RankFile> files;
  private final int firstIndex;

  /**
   * @param firstIndex what the first file is in the checkpoint's list of files
   */
  OffloadedMasters(List<RankFile> files, int firstIndex) {
    this.files = files;
    this.firstIndex = firstIndex;
  }

  /** The files that belong to what a tag folder holds. */
  static List<RankFile> among(Stores stores, Stores.Listing step) {
    List<RankFile> files = new ArrayList<>();
    for (Location folder : step.folders()) {
      if (folder.name().equals(FOLDER)) {
        Stores.Listing offloaded = stores.list(folder);
        add(files, offloaded.files(), 0);
        for (Location rank : offloaded.folders()) {
          Matcher m = RANK.matcher(rank.name());
          if (m.matches()) {
            add(files, stores.list(rank).files(), Integer.parseInt(m.group(1)));
          }
        }
      }
    }
    return files;
  }

  private static void add(List<RankFile> files, List<InputFile> listed, int rank) {
    listed.stream()
        .filter(f -> MASTER.matcher(f.name()).matches())
        .forEach(f -> files.add(new RankFile(f, RankFile.Kind.OFFLOADED, rank, 0)));
  }

  List<RankFile> files() {
    return files;
  }

  /**
   * What the optimizer states say, with the offloaded partitions in their places.
   *
   * @param model whose groups are the sub-groups of ZeRO-3
   * @param optimizer the optimizer states files, in rank order
   * @param states what they say
   * @throws ReweaveException if one is missing or too short
   */
  List<OptimizerStates> broughtBack(
      ModelStates model, List<RankFile> optimizer, List<OptimizerStates> states) {
    if (states.get(0).stage() != 3 || states.get(0).flat().size() != model.groups().size()) {
      return states;
    }
    List<Long> slices = model.groups().stream().map(g -> slices(g, states.size())).toList();
    List<OptimizerStates> whole = new ArrayList<>();
    for (int r = 0; r < states.size(); r++) {
      List<FlatBuffer.StorageRun> flat = new ArrayList<>(states.get(r).flat());
      for (int g = 0; g < flat.size(); g++) {
        long elements = slices.get(g);
        if (flat.get(g).elements() == 0 && elements > 0) {
          String id = states.get(r).ids().get(g);
          requireOneModelRank(model, optimizer.get(r));
          flat.set(g, piece(optimizer.get(r), id, flat.get(g), elements));
        }
      }
      whole.add(states.get(r).withFlat(flat));
    }
    return whole;
  }

  private static long slices(Map<String, Shape> group, int ranks) {
    long sum = 0;
    for (Shape shape : group.values()) {
      sum = Math.addExact(sum, PartitionedLayout.sliceOf(shape.elements(), ranks));
    }
    return sum;
  }

  /** Folders are numbered over all processes, which does not tell whose they are. */
  private static void requireOneModelRank(ModelStates model, RankFile rank) {
    if (model.run().parallel().size() > 1 || rank.modelRank() != 0) {
      throw PartitionFailures.offloadedByModelRanks(rank.file().uri());
    }
  }

  private FlatBuffer.StorageRun piece(
      RankFile rank, String id, FlatBuffer.StorageRun empty, long elements) {
    for (int i = 0; i < files.size(); i++) {
      RankFile file = files.get(i);
      if (file.dataRank() == rank.dataRank() && file.file().name().equals(id + SUFFIX)) {
        StorageRef storage =
            new StorageRef(
                firstIndex + i,
                id,
                0,
                empty.storage().dtype(),
                file.file().length() / empty.storage().dtype().bytes(),
                StorageRef.Endian.LITTLE,
                StorageRef.NO_CRC);
        if (storage.elements() < elements) {
          throw PartitionFailures.offloadedCutOff(
              file.file().length(), elements, storage.dtype(), file.file().uri());
        }
        return new FlatBuffer.StorageRun(storage, 0, elements);
      }
    }
    throw PartitionFailures.offloadedMissing(
        rank.dataRank(),
        String.format(
            Locale.ROOT,
            "%s/rank%02d/%s%s",
            rank.file().location().sibling(FOLDER),
            rank.dataRank(),
            id.isEmpty() ? "*" : id,
            SUFFIX));
  }
}
