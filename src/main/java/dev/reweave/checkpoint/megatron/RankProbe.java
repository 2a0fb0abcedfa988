package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.FileCensus;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.TensorEntries;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.checkpoint.TrainerArguments;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.NamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Takes the model of one rank's file, whose dicts Megatron-LM calls {@code model}, or {@code
 * model0}, {@code model1} and so on where the rank has several stages of the pipeline. The older
 * models keep dicts in dicts: {@code language_model}, {@code encoder}.
 *
 * @param index of the file
 */
record RankProbe(int index) implements TorchProbe<RankStates> {
  private static final String MODEL = "model";

  /** What Transformer Engine's modules keep beside their weights. */
  private static final String EXTRA = "_extra_state";

  /** Of dicts in dicts; the older models have three levels. */
  private static final int DEEPEST = 8;

  @Override
  public RankStates read(TorchFile file) throws IOException {
    TorchValue root = file.root();
    List<TorchValue> dicts = dicts(root);
    Flat flat = new Flat(file);
    List<Map<String, NamedTensor>> chunks = new ArrayList<>();
    for (TorchValue dict : dicts) {
      Map<String, NamedTensor> tensors = new LinkedHashMap<>();
      flat.add(dict, List.of(), tensors);
      chunks.add(tensors);
    }
    return new RankStates(
        root.find("checkpoint_version")
            .filter(TorchValue::isReal)
            .map(TorchValue::real)
            .orElse(0.0),
        root.find("iteration").filter(TorchValue::isInteger).map(TorchValue::integer).orElse(-1L),
        index == 0 ? TrainerArguments.of(root) : TrainerArguments.NONE,
        chunks,
        flat.others,
        left(root, dicts, flat.extra));
  }

  private static List<TorchValue> dicts(TorchValue root) {
    Optional<TorchValue> only = root.find(MODEL).filter(TorchValue::isDict);
    if (only.isPresent()) {
      return List.of(only.get());
    }
    List<TorchValue> dicts = new ArrayList<>();
    Optional<TorchValue> next = root.find(MODEL + 0);
    while (next.filter(TorchValue::isDict).isPresent()) {
      dicts.add(next.get());
      next = root.find(MODEL + dicts.size());
    }
    if (dicts.isEmpty()) {
      throw MegatronFailures.noModel(root.place());
    }
    return dicts;
  }

  private static List<LeftTensors> left(TorchValue root, List<TorchValue> dicts, int extra) {
    List<LeftTensors> left = new ArrayList<>(FileCensus.of(root, dicts));
    if (extra > 0) {
      left.add(new LeftTensors(LeftTensors.Kind.TRAINING, EXTRA, extra, List.of()));
    }
    return left;
  }

  /** Tensors of dicts in dicts under the keys that lead to them. */
  private static final class Flat {
    private final TorchFile file;
    private int others;
    private int extra;

    Flat(TorchFile file) {
      this.file = file;
    }

    void add(TorchValue dict, List<String> path, Map<String, NamedTensor> tensors)
        throws IOException {
      TensorEntries entries = TensorEntries.ofModule(dict, path);
      for (Map.Entry<String, TorchValue> entry : dict.entries()) {
        List<String> inner = new ArrayList<>(path);
        inner.add(entry.getKey());
        TorchTensor tensor = entries.tensors().get(entry.getKey());
        ReweaveException unread = entries.unread().get(entry.getKey());
        if (TensorEntries.isExtraState(entry.getKey())) {
          // Scales of fp8, of one rank's modules: no weights.
          extra += tensor == null ? 0 : 1;
          others += tensor == null ? 1 : 0;
        } else if (tensor != null) {
          String name = String.join(".", inner);
          if (tensors.putIfAbsent(name, file.locate(name, tensor)) != null) {
            throw MegatronFailures.twoOfOneName(name, dict.place());
          }
        } else if (unread != null && entry.getValue().isDict() && inner.size() < DEEPEST) {
          add(entry.getValue(), inner, tensors);
        } else if (unread != null) {
          throw unread;
        } else {
          others++;
        }
      }
    }
  }
}
