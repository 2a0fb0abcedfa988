package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.testing.PickleWriter.OrderedDict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Writes the files of tensor- and pipeline-parallel ranks as DeepSpeed 0.19 does under bf16, with
 * ZeRO-1, 2 or 3. What a rank holds is up to the caller.
 */
public final class ModelParallelFiles {
  private final Path folder;
  private final int stage;
  private final int world;
  private final int pipeline;
  private final int tensor;
  private Map<?, ?> info = Map.of();
  private boolean tellsDegrees = true;
  private boolean tellsShapes = true;
  private boolean tellsEmpty = true;
  private List<Floats> buffers = List.of();
  private long subGroupElements = SyntheticOptions.SUB_GROUP_ELEMENTS;

  /**
   * Files of one checkpoint.
   *
   * @param root its folder
   * @param stage of ZeRO: 1, 2 or 3; 0 where no optimizer is written
   * @param world data-parallel ranks
   * @param pipeline stages
   * @param tensor tensor-parallel ranks
   */
  public ModelParallelFiles(Path root, int stage, int world, int pipeline, int tensor)
      throws IOException {
    this.folder = Files.createDirectories(root.resolve("global_step1"));
    this.stage = stage;
    this.world = world;
    this.pipeline = pipeline;
    this.tensor = tensor;
    Files.writeString(root.resolve("latest"), "global_step1");
  }

  /** With a {@code universal_checkpoint_info} in the model states. */
  public ModelParallelFiles info(Map<?, ?> content) {
    info = content;
    return this;
  }

  /** As before {@code checkpoint_parallel_dimensions} was written. */
  public ModelParallelFiles old() {
    tellsDegrees = false;
    return this;
  }

  /** With ZeRO-3's sub-groups closed when they have that many elements of a rank. */
  public ModelParallelFiles subGroups(long elements) {
    subGroupElements = elements;
    return this;
  }

  /** As since DeepSpeed 0.19.8: what has no elements in a rank is in its module alone. */
  public ModelParallelFiles withoutEmptyMasters() {
    tellsEmpty = false;
    return this;
  }

  /** As without ZeRO, when parameters are not listed. */
  public ModelParallelFiles withoutShapes() {
    tellsShapes = false;
    return this;
  }

  /** Writes model states alone, of a rank that has all its weights in layer files. */
  public void writeModel(int rank) throws IOException {
    String name = String.format(Locale.ROOT, "mp_rank_%02d_model_states.pt", rank);
    writeModel(folder.resolve(name), List.of(List.of()), true);
  }

  /** With these buffers in all ranks that are written from now on. */
  public ModelParallelFiles buffers(List<Floats> all) {
    buffers = all;
    return this;
  }

  /** Where the files are. */
  public Path folder() {
    return folder;
  }

  /** Writes the files of all data-parallel ranks of one model-parallel rank. */
  public void write(int rank, List<Floats> params) throws IOException {
    writeGroups(rank, List.of(params));
  }

  /** The same with several groups of parameters. */
  public void writeGroups(int rank, List<List<Floats>> groups) throws IOException {
    String mp = String.format(Locale.ROOT, "mp_rank_%02d_", rank);
    if (stage != 3) {
      writeModel(folder.resolve(mp + "model_states.pt"), groups, true);
    }
    for (int r = 0; r < world; r++) {
      String name = "zero_pp_rank_" + r + "_" + mp;
      if (stage == 3) {
        writeModel(folder.resolve(name + "model_states.pt"), groups, false);
      }
      writeOptimizer(folder.resolve("bf16_" + name + "optim_states.pt"), groups, r);
    }
  }

  /** Writes one layer of a pipeline, of one tensor-parallel rank; -1 if there is but one. */
  public void writeLayer(int layer, int rank, List<Floats> tensors) throws IOException {
    String model = rank < 0 ? "" : String.format(Locale.ROOT, "-model_%02d", rank);
    String name = String.format(Locale.ROOT, "layer_%02d%s-model_states.pt", layer, model);
    TorchFile file = new TorchFile();
    Map<Object, Object> dict = dict();
    tensors.forEach(t -> dict.put(t.name(), module(file, t)));
    file.write(folder.resolve(name), new OrderedDict(dict));
  }

  private static TensorValue module(TorchFile file, Floats tensor) {
    return file.add(tensor.moduleStorage()).view(0, tensor.shape());
  }

  private void writeModel(Path path, List<List<Floats>> groups, boolean whole) throws IOException {
    TorchFile file = new TorchFile();
    Map<Object, Object> module = dict();
    List<OrderedDict> shapes = new ArrayList<>();
    for (List<Floats> params : groups) {
      Map<Object, Object> ofGroup = dict();
      for (Floats param : params) {
        if (whole) {
          module.put(param.name(), module(file, param));
        }
        if (tellsEmpty || param.shape().elements() > 0) {
          ofGroup.put(param.name(), PickleWriter.size(param.shape()));
        }
      }
      shapes.add(new OrderedDict(ofGroup));
    }
    buffers.forEach(b -> module.put(b.name(), module(file, b)));
    Map<Object, Object> root =
        dict(
            "module",
            pipeline > 1 ? null : new OrderedDict(module),
            "buffer_names",
            buffers.stream().map(Floats::name).toList(),
            "param_shapes",
            tellsShapes ? shapes : null,
            "shared_params",
            dict(),
            "global_steps",
            1,
            "dp_world_size",
            world,
            "mp_world_size",
            pipeline * tensor,
            "ds_config",
            dict("zero_optimization", dict("stage", stage)),
            "ds_version",
            DeepSpeedTrees.VERSION);
    if (tellsDegrees) {
      root.put("checkpoint_parallel_dimensions", dict("pp_degree", pipeline, "tp_degree", tensor));
    }
    if (!info.isEmpty()) {
      root.put("universal_checkpoint_info", new LinkedHashMap<>(info));
    }
    file.write(path, root);
  }

  private void writeOptimizer(Path path, List<List<Floats>> groups, int rank) throws IOException {
    TorchFile file = new TorchFile();
    List<TensorValue> flat = new ArrayList<>();
    for (List<Floats> group : groups) {
      for (float[] numbers : stage == 3 ? slices(group, rank) : List.of(partition(group, rank))) {
        flat.add(file.vector(Floats.storage(numbers, 0, numbers.length)));
      }
    }
    Map<Object, Object> state =
        stage == 3
            ? dict("zero_stage", 3, "partition_count", world, "fp32_flat_groups", flat)
            : dict(
                "zero_stage",
                stage,
                "partition_count",
                Collections.nCopies(groups.size(), world),
                "single_partition_of_fp32_groups",
                flat);
    file.write(path, dict("optimizer_state_dict", state, "ds_version", DeepSpeedTrees.VERSION));
  }

  /** All parameters end to end, padded, cut into one piece per rank. */
  private float[] partition(List<Floats> params, int rank) {
    float[] flat = Floats.flat(params, 2 * world);
    int length = flat.length / world;
    return Arrays.copyOfRange(flat, rank * length, (rank + 1) * length);
  }

  /** The rank's piece of each parameter, which is padded for itself, by sub-groups. */
  private List<float[]> slices(List<Floats> params, int rank) {
    List<float[]> subGroups = new ArrayList<>();
    List<Floats> slices = new ArrayList<>();
    long elements = 0;
    for (Floats param : params) {
      float[] flat = Floats.flat(List.of(param), world);
      int length = flat.length / world;
      slices.add(Floats.of("", Arrays.copyOfRange(flat, rank * length, (rank + 1) * length)));
      elements += length;
      if (elements >= subGroupElements) {
        subGroups.add(Floats.flat(slices, 1));
        slices.clear();
        elements = 0;
      }
    }
    if (!slices.isEmpty()) {
      subGroups.add(Floats.flat(slices, 1));
    }
    return subGroups;
  }
}
