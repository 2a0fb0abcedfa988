package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.testing.PickleWriter.OrderedDict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Writes the files of a model with experts as DeepSpeed's {@code _save_moe_checkpoint} does under
 * bf16. What the parameter groups and the files of experts hold is up to the caller.
 */
public final class ExpertFiles {
  private final Path folder;
  private final int stage;
  private final int world;
  private final List<List<List<Floats>>> groups = new ArrayList<>();
  private final List<Floats> module = new ArrayList<>();
  private List<String> buffers = List.of();
  private Object counts = List.of();
  private List<Map<?, ?>> stacks = List.of();
  private boolean dataFirst;
  private boolean folded;
  private int modelRank;
  private int modelRanks = 1;

  /**
   * Files of one checkpoint.
   *
   * @param stage of ZeRO: 1 or 3
   * @param world data-parallel ranks
   */
  public ExpertFiles(Path root, int stage, int world) throws IOException {
    this.folder = Files.createDirectories(root.resolve("global_step1"));
    this.stage = stage;
    this.world = world;
    Files.writeString(root.resolve("latest"), "global_step1");
  }

  /** The same place for another tensor-parallel rank. */
  public ExpertFiles tensorRank(int rank, int ranks) {
    modelRank = rank;
    modelRanks = ranks;
    return this;
  }

  /** What {@code num_experts} says: a list, or a number. */
  public ExpertFiles counts(Object numbers) {
    counts = numbers;
    return this;
  }

  /** With {@code use_data_before_expert_parallelism}. */
  public ExpertFiles dataFirst() {
    dataFirst = true;
    return this;
  }

  /** What {@code ds_autoep_layers} says. */
  public ExpertFiles stacks(List<Map<?, ?>> layers) {
    stacks = layers;
    return this;
  }

  /** With the mark of AutoEP that is folded with tensor parallelism. */
  public ExpertFiles folded() {
    folded = true;
    return this;
  }

  /** Tensors of the module: those that are no experts'. */
  public ExpertFiles module(List<Floats> tensors) {
    module.addAll(tensors);
    return this;
  }

  /** Names of buffers. */
  public ExpertFiles buffers(List<String> names) {
    buffers = names;
    return this;
  }

  /**
   * A parameter group.
   *
   * @param byExpertRank what each expert-parallel rank has, under its own names; one for a group
   *     that all ranks share
   */
  public ExpertFiles group(List<List<Floats>> byExpertRank) {
    groups.add(byExpertRank);
    return this;
  }

  public Path folder() {
    return folder;
  }

  /** Writes the file of an expert; a layer of -1 is none, as versions before 0.6 wrote it. */
  public void writeExpert(int layer, int expert, List<Floats> tensors) throws IOException {
    String name = String.format(Locale.ROOT, "expert_%d_mp_rank_%02d", expert, modelRank);
    TorchFile file = new TorchFile();
    Map<Object, Object> dict = dict();
    tensors.forEach(t -> dict.put(t.name(), file.add(t.moduleStorage()).view(0, t.shape())));
    file.write(
        folder.resolve((layer < 0 ? "" : "layer_" + layer + "_") + name + "_model_states.pt"),
        dict);
  }

  /** Writes model and optimizer states of all ranks. */
  public void write() throws IOException {
    String mp = String.format(Locale.ROOT, "mp_rank_%02d_", modelRank);
    if (stage != 3) {
      writeModel(folder.resolve(mp + "model_states.pt"));
    }
    for (int rank = 0; rank < world; rank++) {
      String name = "zero_pp_rank_" + rank + "_" + mp;
      if (stage == 3) {
        writeModel(folder.resolve(name + "model_states.pt"));
      }
      writeOptimizer(folder.resolve("bf16_" + name + "optim_states.pt"), rank);
    }
  }

  /** Writes model states alone, as training without ZeRO has them. */
  public void writeModel() throws IOException {
    writeModel(
        folder.resolve(String.format(Locale.ROOT, "mp_rank_%02d_model_states.pt", modelRank)));
  }

  private void writeModel(Path path) throws IOException {
    TorchFile file = new TorchFile();
    Map<Object, Object> tensors = dict();
    for (Floats tensor : module) {
      Object value =
          stage == 3
              ? file.vector(Floats.of("").moduleStorage())
              : file.add(tensor.moduleStorage()).view(0, tensor.shape());
      tensors.put(tensor.name(), value);
    }
    List<OrderedDict> shapes = new ArrayList<>();
    for (List<List<Floats>> group : groups) {
      Map<Object, Object> ofGroup = dict();
      group.get(0).forEach(t -> ofGroup.put(t.name(), PickleWriter.size(t.shape())));
      shapes.add(new OrderedDict(ofGroup));
    }
    Map<Object, Object> config = dict("zero_optimization", dict("stage", stage));
    if (dataFirst) {
      config.put("use_data_before_expert_parallelism", true);
    }
    Map<Object, Object> root =
        dict(
            "module",
            new OrderedDict(tensors),
            "buffer_names",
            buffers,
            "param_shapes",
            shapes.isEmpty() ? null : shapes,
            "shared_params",
            dict(),
            "global_steps",
            1,
            "dp_world_size",
            world,
            "mp_world_size",
            modelRanks,
            "ds_config",
            config,
            "ds_version",
            DeepSpeedTrees.VERSION,
            "num_experts",
            counts,
            "ds_autoep_layers",
            stacks.isEmpty() ? null : stacks);
    if (folded) {
      root.put("folding", dict("tp_size", 2));
    }
    file.write(path, root);
  }

  private void writeOptimizer(Path path, int rank) throws IOException {
    TorchFile file = new TorchFile();
    List<TensorValue> flat = new ArrayList<>();
    List<Integer> partitions = new ArrayList<>();
    for (List<List<Floats>> group : groups) {
      int copies = world / group.size();
      int expertRank = dataFirst ? rank / copies : rank % group.size();
      int copy = dataFirst ? rank % copies : rank / group.size();
      List<Floats> params = group.get(expertRank);
      float[] piece =
          stage == 3
              ? slices(params, copy, copies)
              : piece(Floats.flat(params, 2 * copies), copy, copies);
      flat.add(file.vector(Floats.storage(piece, 0, piece.length)));
      partitions.add(copies);
    }
    Map<Object, Object> state =
        stage == 3
            ? dict("zero_stage", 3, "partition_count", world, "fp32_flat_groups", flat)
            : dict(
                "zero_stage",
                stage,
                "partition_count",
                partitions,
                "single_partition_of_fp32_groups",
                flat);
    file.write(path, dict("optimizer_state_dict", state, "ds_version", DeepSpeedTrees.VERSION));
  }

  private static float[] piece(float[] flat, int index, int count) {
    int length = flat.length / count;
    return Arrays.copyOfRange(flat, index * length, (index + 1) * length);
  }

  private static float[] slices(List<Floats> params, int index, int count) {
    List<Floats> slices = new ArrayList<>();
    for (Floats param : params) {
      slices.add(Floats.of("", piece(Floats.flat(List.of(param), count), index, count)));
    }
    return Floats.flat(slices, 1);
  }
}
