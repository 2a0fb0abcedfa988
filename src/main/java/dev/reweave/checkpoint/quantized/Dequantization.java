package dev.reweave.checkpoint.quantized;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.BlockScales;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.DequantizedLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Gives the weights that quantized ones stand for. */
public final class Dequantization {
  /** Where ComfyUI says in a header which layers are quantized, and how. */
  private static final String COMFY_METADATA = "_quantization_metadata";

  private final Quantization quantization;
  private final Checkpoint checkpoint;

  private Dequantization(Quantization quantization, Checkpoint checkpoint) {
    this.quantization = quantization;
    this.checkpoint = checkpoint;
  }

  /**
   * The checkpoint with weights in F32 in place of those that have scales, and without the scales;
   * its notes tell of both.
   *
   * @param quantization of this checkpoint
   * @param place where it is, for messages
   * @throws dev.reweave.common.ReweaveException if weights are quantized in a way that is not known
   */
  public static Checkpoint of(Quantization quantization, Checkpoint checkpoint, String place) {
    quantization.require(place);
    return quantization.isNone()
        ? checkpoint
        : new Dequantization(quantization, checkpoint).dequantized();
  }

  private Checkpoint dequantized() {
    Map<String, NamedTensor> byName = Quantization.byName(checkpoint);
    Set<String> leftOut = quantization.leftOut();
    List<NamedTensor> tensors = new ArrayList<>();
    for (NamedTensor tensor : checkpoint.tensors()) {
      Quantization.Scaled scale = quantization.scaled().get(tensor.name());
      if (scale != null) {
        tensors.add(dequantized(tensor, byName.get(scale.name()), scale));
      } else if (!leftOut.contains(tensor.name())) {
        tensors.add(tensor);
      }
    }
    Map<String, String> aliases = new LinkedHashMap<>(checkpoint.aliases());
    aliases.keySet().removeAll(leftOut);
    aliases.values().removeAll(leftOut);
    List<String> notes = new ArrayList<>(checkpoint.notes());
    notes.addAll(notes());
    Map<String, String> metadata = new LinkedHashMap<>(checkpoint.metadata());
    if (metadata.remove(COMFY_METADATA) != null) {
      notes.add("metadata left out, since the weights are not quantized: " + COMFY_METADATA);
    }
    Remarks remarks = checkpoint.remarks();
    // What the config says is in the result, and so is its file among those that were read.
    List<InputFile> files = new ArrayList<>(checkpoint.files());
    quantization.configFile().ifPresent(files::add);
    return new Checkpoint(
        checkpoint.source(),
        files,
        tensors,
        aliases,
        metadata,
        remarks.with(notes),
        checkpoint.arguments(),
        checkpoint.beside());
  }

  private static NamedTensor dequantized(
      NamedTensor weight, NamedTensor scale, Quantization.Scaled how) {
    TensorSpec spec = new TensorSpec(weight.name(), DType.F32, weight.spec().shape());
    BlockScales scales = new BlockScales(scale.layout(), how.type(), spec.shape(), how.blocks());
    return new NamedTensor(spec, new DequantizedLayout(weight.layout(), scales));
  }

  private List<String> notes() {
    List<String> notes = new ArrayList<>();
    if (!quantization.scaled().isEmpty()) {
      long scales =
          quantization.scaled().values().stream().map(Quantization.Scaled::name).distinct().count();
      notes.add(
          "dequantized: "
              + quantization.weights()
              + ", value times scale in float32, rounded once; the scales are left out: "
              + Counted.of(scales, "tensor"));
    }
    if (!quantization.beside().isEmpty()) {
      notes.add(
          "left out, since only quantized weights need them: "
              + Counted.of(quantization.beside().size(), "tensor")
              + ": "
              + FirstNames.of(List.copyOf(quantization.beside())));
    }
    if (!quantization.unscaled().isEmpty()) {
      notes.add(
          "of 8 bits without a scale, and cast as they are: "
              + Counted.of(quantization.unscaled().size(), "tensor")
              + ": "
              + FirstNames.of(quantization.unscaled()));
    }
    return notes;
  }
}
