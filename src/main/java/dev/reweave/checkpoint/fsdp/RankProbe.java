package dev.reweave.checkpoint.fsdp;

import dev.reweave.checkpoint.FileCensus;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.TensorEntries;
import dev.reweave.checkpoint.TorchDicts;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Finds what one rank has of each tensor.
 *
 * @param rank whose file it is, as its name tells
 */
record RankProbe(int rank) implements TorchProbe<RankContent> {
  /**
   * {@code FLAT_PARAM} in {@code torch/distributed/fsdp/_common_utils.py}, with and without "_".
   */
  private static final Pattern FLAT = Pattern.compile("(.*\\.)?_?flat_param(_\\d+)?");

  @Override
  public RankContent read(TorchFile file) throws IOException {
    TorchValue root = file.root();
    TorchDicts.Chosen chosen = new TorchDicts(root).ofModel();
    TensorEntries entries =
        chosen.path().isEmpty()
            ? TensorEntries.ofFile(chosen.dict())
            : TensorEntries.ofModule(chosen.dict(), chosen.path());
    Pieces pieces = new Pieces();
    DTensors dtensors = new DTensors(file, rank, pieces);
    ShardedTensors sharded = new ShardedTensors(file, rank, pieces);
    Map<String, TensorSlice> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, TorchValue> entry : chosen.dict().entries()) {
      String name = entry.getKey();
      if (FLAT.matcher(name).matches()) {
        throw FsdpFailures.flat(name, entry.getValue().place());
      }
      if (entries.tensors().containsKey(name)) {
        tensors.put(name, plain(file, entries.tensors().get(name)));
      } else if (entries.unread().containsKey(name)) {
        TorchValue value = entry.getValue();
        tensors.put(
            name,
            switch (value.className()) {
              case DTensors.CLASS -> dtensors.read(name, value);
              case ShardedTensors.CLASS -> sharded.read(name, value);
              default -> throw entries.unread().get(name);
            });
      }
    }
    return new RankContent(
        tensors,
        dtensors.owners(),
        entries.others().size(),
        left(root, chosen),
        Math.max(dtensors.world(), sharded.world()),
        dtensors.meshTexts());
  }

  private static TensorSlice plain(TorchFile file, TorchTensor tensor) throws IOException {
    StoredLayout layout = file.layout(tensor);
    return new TensorSlice(
        tensor.dtype(), tensor.shape(), TensorSlice.Cut.NOT, Pieces.whole(layout));
  }

  private static List<LeftTensors> left(TorchValue root, TorchDicts.Chosen chosen) {
    return chosen.path().isEmpty()
        ? List.of()
        : new ArrayList<>(FileCensus.of(root, List.of(chosen.dict())));
  }
}
