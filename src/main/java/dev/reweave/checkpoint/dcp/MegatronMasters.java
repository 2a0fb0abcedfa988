package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.NotTaken;
import dev.reweave.tensor.DType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The fp32 masters among what Megatron-Core's optimizers save, as 0.16 names them: {@code
 * fp32_param} where the optimizer is not distributed, {@code param} where it is and {@code
 * fully_reshardable}. With {@code dp_reshardable}, Megatron-LM's default, they are flat buckets
 * that do not tell whose they are.
 *
 * @param byTensor the name of the master of each tensor that has one
 * @param buckets the names of such buckets, but for those of parameters that were trained in fp32
 */
record MegatronMasters(Map<String, String> byTensor, List<String> buckets) {
  private static final Pattern MASTER =
      Pattern.compile("(?:chained_[0-9]+\\.)?optimizer\\.state\\.(?:fp32_param|param)\\.(.+)");
  private static final Pattern BUCKET =
      Pattern.compile("(?:chained_[0-9]+\\.)?optimizer\\.distributed\\..*\\.param");
  private static final String OF_FP32 = ".dtype_(torch.float32,";

  static MegatronMasters of(DcpMetadata metadata) {
    Map<String, String> masters = new LinkedHashMap<>();
    List<String> buckets = new ArrayList<>();
    for (String name : metadata.names()) {
      Matcher matcher = MASTER.matcher(name);
      if (matcher.matches()) {
        masters.put(matcher.group(1), name);
      }
      if (BUCKET.matcher(name).matches() && !name.contains(OF_FP32)) {
        buckets.add(name);
      }
    }
    return new MegatronMasters(masters, buckets);
  }

  /** What to say of them where the model's own weights are taken. */
  List<String> notTaken() {
    List<String> notes = new ArrayList<>();
    if (!byTensor.isEmpty()) {
      notes.add(
          "among the training state are fp32 masters: the weights are the model's own;"
              + " --weights master takes those");
    }
    if (byTensor.isEmpty() && !buckets.isEmpty()) {
      notes.add(
          "the fp32 masters are in flat buckets of the distributed optimizer, without names: the"
              + " weights are the model's own; --weights master takes those, if Megatron-Core's"
              + " order of them can be shown");
    }
    return notes;
  }

  /**
   * The masters in the place of a model's own weights. What was trained in fp32 is its own master.
   *
   * @throws dev.reweave.common.ReweaveException if there are none, or not of all
   */
  TensorChoice instead(TensorChoice model, DcpMetadata metadata, String place) {
    if (byTensor.isEmpty()) {
      if (buckets.isEmpty()) {
        throw DcpFailures.noMasters(place);
      }
      return fromBuckets(model, metadata, place);
    }
    Map<String, String> stored = new LinkedHashMap<>();
    List<String> missing = new ArrayList<>();
    for (String name : model.names()) {
      String master = byTensor.get(name);
      if (master != null) {
        require(name, master, metadata, place);
        stored.put(name, master);
      } else if (metadata.dtype(name) == DType.F32) {
        stored.put(name, name);
      } else {
        missing.add(name);
      }
    }
    if (!missing.isEmpty()) {
      throw DcpFailures.mastersMissing(missing, model.names().size(), place);
    }
    long own = stored.entrySet().stream().filter(e -> !e.getKey().equals(e.getValue())).count();
    return new TensorChoice(
        model.names(), stored, model.prefix(), model.notes(), left(model, own, place), List.of());
  }

  private TensorChoice fromBuckets(TensorChoice model, DcpMetadata metadata, String place) {
    long own = model.names().stream().filter(n -> metadata.dtype(n) != DType.F32).count();
    List<String> notes = new ArrayList<>(model.notes());
    notes.add(
        "the fp32 masters are in flat buckets of the distributed optimizer, without names: they are"
            + " taken in Megatron-Core's order, which their sizes fit, and so does what each tensor"
            + " begins and ends with");
    return new TensorChoice(
        model.names(), model.stored(), model.prefix(), notes, left(model, own, place), buckets);
  }

  private static List<NotTaken> left(TensorChoice model, long own, String place) {
    List<NotTaken> left = new ArrayList<>(model.left());
    left.add(
        new NotTaken(
            "weights of the model itself", own, "left out: their fp32 masters are taken", place));
    return left;
  }

  private static void require(String name, String master, DcpMetadata metadata, String place) {
    if (metadata.dtype(master) != DType.F32
        || !metadata.shape(master).equals(metadata.shape(name))) {
      throw DcpFailures.unfitMaster(
          name, metadata.shape(name), metadata.dtype(master), metadata.shape(master), place);
    }
  }

  /** The masters of tensors that are there, or where they are. */
  Set<String> of(Set<String> tensors) {
    Set<String> masters = new HashSet<>(byTensor.isEmpty() ? buckets : List.of());
    byTensor.forEach(
        (tensor, master) -> {
          if (tensors.contains(tensor)) {
            masters.add(master);
          }
        });
    return masters;
  }
}
