package dev.reweave.checkpoint;

import dev.reweave.common.Counted;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a framework saved, as an ordered set of named tensors.
 *
 * @param source what it is and who wrote it
 * @param files the files that layouts point into, by {@code StorageRef.file()}
 * @param tensors in the order of the state dict that the framework's own tools rebuild
 * @param aliases tied names: each name that is not in {@code tensors} to the one that is
 * @param metadata what the headers of safetensors files say beside their tensors, by key; empty for
 *     other formats
 * @param remarks what is to be told of it
 * @param arguments what the trainer stored of the model's form, such as {@code num_attention_heads}
 * @param beside what is known of some checkpoints alone
 */
public record Checkpoint(
    Source source,
    List<InputFile> files,
    List<NamedTensor> tensors,
    Map<String, String> aliases,
    Map<String, String> metadata,
    Remarks remarks,
    TrainerArguments arguments,
    Beside beside) {

  /**
   * What is known of some checkpoints alone.
   *
   * @param adapter if the tensors are those of an adapter, as PEFT names them
   * @param optimizer what its training goes on from; empty unless it was asked for
   */
  public record Beside(Optional<Adapter> adapter, Optional<OptimizerState> optimizer) {
    /** Nothing. */
    public static final Beside NOTHING = new Beside(Optional.empty(), Optional.empty());
  }

  public Checkpoint {
    files = List.copyOf(files);
    tensors = List.copyOf(tensors);
  }

  /** One that is no adapter. */
  public Checkpoint(
      Source source,
      List<InputFile> files,
      List<NamedTensor> tensors,
      Map<String, String> aliases,
      Map<String, String> metadata,
      Remarks remarks,
      TrainerArguments arguments) {
    this(source, files, tensors, aliases, metadata, remarks, arguments, Beside.NOTHING);
  }

  /** One whose trainer stored no arguments. */
  public Checkpoint(
      Source source,
      List<InputFile> files,
      List<NamedTensor> tensors,
      Map<String, String> aliases,
      Map<String, String> metadata,
      Remarks remarks) {
    this(source, files, tensors, aliases, metadata, remarks, TrainerArguments.NONE);
  }

  /** One of which everything is known, without metadata. */
  public Checkpoint(
      Source source,
      List<InputFile> files,
      List<NamedTensor> tensors,
      Map<String, String> aliases,
      List<String> notes) {
    this(source, files, tensors, aliases, Map.of(), Remarks.of(notes));
  }

  /** The same with something else to tell. */
  public Checkpoint with(Remarks others) {
    return new Checkpoint(source, files, tensors, aliases, metadata, others, arguments, beside);
  }

  /** The same with other tensors, and other names that are tied to them. */
  public Checkpoint with(List<NamedTensor> others, Map<String, String> tied) {
    return new Checkpoint(source, files, others, tied, metadata, remarks, arguments, beside);
  }

  /** The same as an adapter. */
  public Checkpoint with(Adapter known) {
    return new Checkpoint(
        source,
        files,
        tensors,
        aliases,
        metadata,
        remarks,
        arguments,
        new Beside(Optional.of(known), optimizer()));
  }

  /** The same with what its training goes on from. */
  public Checkpoint with(OptimizerState state) {
    return new Checkpoint(
        source,
        files,
        tensors,
        aliases,
        metadata,
        remarks,
        arguments,
        new Beside(adapter(), Optional.of(state)));
  }

  /** What is known of the adapter, if the tensors are those of one, as PEFT names them. */
  public Optional<Adapter> adapter() {
    return beside.adapter();
  }

  /** What its training goes on from; empty unless it was asked for. */
  public Optional<OptimizerState> optimizer() {
    return beside.optimizer();
  }

  /** What the user should know: what was decided, and why. */
  public List<String> notes() {
    return remarks.notes();
  }

  /** What is not known and could change what the weights are. */
  public List<Caution> cautions() {
    return remarks.cautions();
  }

  /** What lies there and is not among the tensors. */
  public List<NotTaken> notTaken() {
    return remarks.notTaken();
  }

  /** The names of all tensors, and behind them the tied ones. */
  public List<String> names() {
    List<String> names = new ArrayList<>(tensors.size() + aliases.size());
    tensors.forEach(t -> names.add(t.name()));
    names.addAll(aliases.keySet());
    return names;
  }

  /**
   * What a checkpoint is.
   *
   * @param framework such as {@code DeepSpeed}, with what is known of the version
   * @param version of the framework as the files state it, or empty
   * @param stage ZeRO stage 0 to 3; -1 where that means nothing
   * @param worldSize data-parallel ranks; 1 where the files do not say
   * @param precision in which the module was trained: {@code fp32}, {@code fp16}, {@code bf16}, or
   *     empty where the files do not say
   * @param tag the saved step, or empty
   * @param tags all saved steps beside it
   * @param weights whether {@code tensors} are fp32 masters or the module's own
   */
  public record Source(
      String framework,
      String version,
      int stage,
      int worldSize,
      String precision,
      String tag,
      List<String> tags,
      Weights weights) {

    /** In one line, as every command says it: format, step, and which copy of the weights. */
    public String text() {
      StringBuilder text = new StringBuilder(framework);
      text.append(version.isEmpty() ? "" : " " + version);
      if (stage >= 0) {
        text.append(", ZeRO-").append(stage).append(", ").append(Counted.of(worldSize, "rank"));
      }
      if (!tag.isEmpty()) {
        text.append(", tag ").append(tag);
      }
      text.append(
          weights == Weights.MASTER ? ", fp32 master weights" : ", the module's own weights");
      return text.toString();
    }
  }
}
