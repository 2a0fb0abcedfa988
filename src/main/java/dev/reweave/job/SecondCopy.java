package dev.reweave.job;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.MetadataScanner;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The weights that a checkpoint holds beside its fp32 masters: the module's own, as ZeRO-1 and 2
 * save them. They come by another way, and so catch any wrong order, offset, group or rank.
 *
 * @param copies by tensor of the result
 * @param files that they point into
 * @param missing why there is nothing to compare; empty if there is
 */
record SecondCopy(Map<String, Layout> copies, List<InputFile> files, String missing) {

  static SecondCopy of(
      Stores stores,
      MetadataScanner scanner,
      ConversionRequest request,
      Checkpoint checkpoint,
      Renaming renaming) {
    Checkpoint.Source source = checkpoint.source();
    if (source.weights() != Weights.MASTER) {
      return none("the module's own weights are converted, and the checkpoint has no others");
    }
    if (source.stage() == 3) {
      return none("a ZeRO-3 checkpoint keeps the fp32 masters alone");
    }
    ReadOptions reading =
        new ReadOptions(
            request.reading().tag(), Optional.of(Weights.MODEL), request.reading().frozen());
    Checkpoint second =
        new CheckpointReader(stores, scanner)
            .read(request.input(), Renaming.reading(stores, reading, request.mapping()));
    Map<String, Layout> modules = new HashMap<>();
    Renaming.of(stores, second, request.mapping())
        .tensors()
        .forEach(t -> modules.put(t.name(), t.layout()));
    Map<String, Layout> copies = new HashMap<>();
    for (NamedTensor tensor : renaming.tensors()) {
      Layout copy = modules.get(tensor.name());
      // Buffers and frozen parameters are the module's own already.
      boolean master = !(tensor.layout() instanceof StoredLayout);
      if (copy != null && master && copy.dtype().isCastable() && tensor.spec().elements() > 0) {
        copies.put(tensor.name(), copy);
      }
    }
    return copies.isEmpty()
        ? none("the module holds none of the tensors that have masters")
        : new SecondCopy(copies, second.files(), "");
  }

  private static SecondCopy none(String why) {
    return new SecondCopy(Map.of(), List.of(), why);
  }

  /** The plan with these copies to compare; says so if there are none. */
  ConversionPlan prove(ConversionPlan plan, List<String> notes) {
    if (!missing.isEmpty()) {
      notes.add("--prove: there is no second copy of the weights to compare with: " + missing);
      return plan;
    }
    return plan.provenBy(copies, files);
  }
}
