package dev.reweave.checkpoint.adapter;

import dev.reweave.common.FirstNames;
import dev.reweave.common.JsonReader;
import dev.reweave.common.Printable;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.TensorSpec;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Where an adapter, its model and its config do not go together. */
final class AdapterFailures {
  private static final String MERGE_WITH_PEFT =
      "leave --merge-adapter out, and merge both with PEFT: --part base and --part adapter give it"
          + " what it loads";

  private AdapterFailures() {}

  /**
   * A part of what is no model with an adapter in it.
   *
   * @param option that asks for it
   */
  static ReweaveException noAdapter(String option, String place) {
    return ReweaveException.notFound(
        option
            + " asks for something of an adapter, and none of the tensors has a name that PEFT has"
            + " in memory, such as q_proj.lora_A.default.weight",
        place,
        "leave it out; an adapter of another library is in its own file, or has to be exported by"
            + " that library");
  }

  /**
   * A checkpoint that was saved without the frozen weights.
   *
   * @param option that asks for the base
   */
  static ReweaveException noBase(String option, String place) {
    return ReweaveException.notFound(
        option + " asks for the model that the adapter was trained on, which is not in here",
        place,
        "leave it out, to have the adapter; or leave --exclude-frozen out, if that was given");
  }

  /** An adapter's file, or a checkpoint that was saved without the frozen weights. */
  static ReweaveException baseNotNamed(String place) {
    return ReweaveException.notFound(
        "--merge-adapter asks for the model that the adapter was trained on, which is not in here",
        place,
        "name the folder of that model as well, with --base of convert; or leave --merge-adapter"
            + " out, to have the adapter");
  }

  /**
   * The base is another model than the adapter was trained on, or has other names for it.
   *
   * @param missing what it does not have
   * @param named what the adapter's config says that it was trained on
   */
  static ReweaveException otherBase(List<String> missing, Optional<String> named, String place) {
    return ReweaveException.mismatch(
        "the adapter is for what the base does not have: " + FirstNames.of(missing),
        place,
        "name with --base the folder of the model that it was trained on"
            + named.map(name -> ", which its config calls " + Printable.text(name)).orElse(""));
  }

  /** {@code --adapter} with a name that none has. */
  static ReweaveException noSuchAdapter(String name, Collection<String> adapters, String place) {
    return ReweaveException.notFound(
        "there is no adapter '" + name + "' here",
        place,
        "choose one with --adapter: " + FirstNames.of(List.copyOf(adapters)));
  }

  /** Two adapters in one model, none of which is called {@code default}. */
  static ReweaveException severalAdapters(Collection<String> adapters, String place) {
    return ReweaveException.usage(
        "there are several adapters in this model",
        place,
        "choose one with --adapter: " + FirstNames.of(List.copyOf(adapters)));
  }

  /** {@code --adapter-config} is misspelt. */
  static ReweaveException noConfig(String place) {
    return ReweaveException.notFound(
        "no config of an adapter is there",
        place,
        "name with --adapter-config an adapter_config.json, or the folder that holds it");
  }

  /** The {@code adapter_config.json} is damaged, or is something else. */
  static ReweaveException brokenConfig(JsonReader.Broken cause, String place) {
    return new ReweaveException(
        "the config of the adapter is no sound JSON (" + cause.detail() + ")",
        place,
        "copy the file again from its source, or name another with --adapter-config",
        cause);
  }

  /** {@code --adapter-config} names another file. */
  static ReweaveException otherFile(String place) {
    return new ReweaveException(
        "this is no config of an adapter, which is a JSON object",
        place,
        "name with --adapter-config the adapter_config.json that PEFT saved");
  }

  /**
   * A value of a kind that PEFT never writes.
   *
   * @param key of the config
   */
  static ReweaveException oddConfig(String key, String value, String place) {
    return new ReweaveException(
        "the config of the adapter has " + value + " for " + key,
        place,
        "correct it, or name another file with --adapter-config");
  }

  /** No config, or one that does not say {@code lora_alpha}. */
  static ReweaveException noScale(String place) {
    return ReweaveException.notFound(
        "what the adapter is multiplied by stands nowhere: lora_alpha is in no weight",
        place,
        "name with --adapter-config the adapter_config.json that PEFT saved, or a file with what"
            + " it was trained with, such as {\"lora_alpha\": 16}, and \"use_rslora\": true if that"
            + " was so");
  }

  /** The config is of another adapter. */
  static ReweaveException otherRank(String module, long rank, long stated, String place) {
    return ReweaveException.mismatch(
        "the adapter's matrices for "
            + module
            + " are of rank "
            + rank
            + ", and its config says "
            + stated,
        place,
        "name with --adapter-config the adapter_config.json that was saved with this adapter");
  }

  /** DoRA scales each column by what the whole of it comes to. */
  static ReweaveException dora(String place) {
    return ReweaveException.unsupported(
        "the adapter is one of DoRA, whose weights are no sums", place, MERGE_WITH_PEFT);
  }

  /**
   * A kind of adapter that is merged in another way, or in none.
   *
   * @param kind what it is, such as a key of its config
   */
  static ReweaveException otherKind(String kind, String place) {
    return ReweaveException.unsupported(
        "the adapter has " + kind + ", of which it is not known how it is merged",
        place,
        MERGE_WITH_PEFT);
  }

  /** One of a pair of matrices is missing. */
  static ReweaveException halfLayer(String module, Collection<String> kinds, String place) {
    return new ReweaveException(
        "of the adapter's matrices for " + module + " there is but " + String.join(", ", kinds),
        place,
        "have all of the checkpoint's files there");
  }

  /** The matrices are of another module, or of a kind of module that is not known. */
  static ReweaveException noFit(
      String module, TensorSpec left, TensorSpec right, List<String> weights, String place) {
    return ReweaveException.unsupported(
        "the adapter's matrices for "
            + module
            + ", "
            + left.shape()
            + " and "
            + right.shape()
            + ", make none of its weights: "
            + (weights.isEmpty() ? "it has none" : FirstNames.of(weights)),
        place,
        MERGE_WITH_PEFT);
  }

  /** Two ways to multiply them give the right shape. */
  static ReweaveException twoFits(String module, List<String> weights, String place) {
    return ReweaveException.unsupported(
        "the adapter's matrices for "
            + module
            + " make its weights in more ways than one: "
            + FirstNames.of(weights),
        place,
        MERGE_WITH_PEFT);
  }

  /** The base of a QLoRA run, or float64. */
  static ReweaveException otherType(TensorSpec tensor, String place) {
    return ReweaveException.unsupported(
        "sums are made in float32, and "
            + tensor.name()
            + " is of "
            + tensor.dtype().torchName()
            + ", which is wider, or quantized",
        place,
        MERGE_WITH_PEFT);
  }
}
