package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.OrderedDict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The files that the ranks of Megatron-LM write of a model whose whole tensors are known: cut as
 * its parallel layers are, with layers and experts counted from 0 on each rank.
 */
public final class MegatronRankFiles {
  /** What each rank calls its file. */
  public static final String MODEL = "model_optim_rng.pt";

  private static final Pattern LAYER = Pattern.compile("(.*layers\\.)(\\d+)(\\..*)");
  private static final Pattern EXPERT =
      Pattern.compile("(.*\\.experts\\.(?:local_experts\\.|linear_fc[12]\\.weight))(\\d+)(.*)");

  private final Map<String, WholeTensor> model;
  private final Map<Object, Object> args = new LinkedHashMap<>();
  private int tensor = 1;
  private int pipeline = 1;
  private int virtual = 1;
  private int expert = 1;
  private double version = 3.0;
  private long iteration = 10;
  private boolean nested;
  private boolean wholeExperts;

  /** The files of a model with one rank, whose layers are those of its names. */
  public MegatronRankFiles(Map<String, WholeTensor> model) {
    this.model = model;
    args.put("swiglu", true);
    args.put("num_layers", (long) layers());
    args.put("untie_embeddings_and_output_weights", true);
  }

  /** The same, shared by so many ranks in each direction. */
  public MegatronRankFiles ranks(int tensors, int stages, int virtuals, int experts) {
    tensor = tensors;
    pipeline = stages;
    virtual = virtuals;
    expert = experts;
    args.put("tensor_model_parallel_size", (long) tensors);
    args.put("pipeline_model_parallel_size", (long) stages);
    args.put("expert_model_parallel_size", (long) experts);
    return this;
  }

  /** The same with another argument of the training. */
  public MegatronRankFiles arg(String name, Object value) {
    args.put(name, value);
    return this;
  }

  /** The same of another version of the format. */
  public MegatronRankFiles version(double other) {
    version = other;
    return this;
  }

  /** The same after so many iterations. */
  public MegatronRankFiles iteration(long other) {
    iteration = other;
    return this;
  }

  /** Each expert on one rank, and files of those pairs of ranks alone that there are. */
  public MegatronRankFiles wholeExperts() {
    wholeExperts = true;
    return arg("expert_tensor_parallel_size", 1L);
  }

  /** As dicts in dicts, which the models before Megatron-Core have. */
  public MegatronRankFiles nested() {
    nested = true;
    return this;
  }

  private int layers() {
    return (int)
        model.keySet().stream()
            .map(LAYER::matcher)
            .filter(Matcher::matches)
            .map(m -> m.group(2))
            .distinct()
            .count();
  }

  private int experts() {
    return (int)
        model.keySet().stream()
            .map(EXPERT::matcher)
            .filter(Matcher::matches)
            .map(m -> m.group(2))
            .distinct()
            .count();
  }

  /** Writes the folders of all ranks. */
  public Path write(Path step) throws IOException {
    for (int t = 0; t < tensor; t++) {
      for (int p = 0; p < pipeline; p++) {
        for (int e = 0; e < expert; e++) {
          if (!wholeExperts || t % expert == e % tensor) {
            write(step.resolve(folder(t, p, e)), t, p, e);
          }
        }
      }
    }
    return step;
  }

  private String folder(int t, int p, int e) {
    return "mp_rank_%02d".formatted(t)
        + (pipeline > 1 ? "_%03d".formatted(p) : "")
        + (expert > 1 ? "_%03d".formatted(e) : "");
  }

  private void write(Path folder, int t, int p, int e) throws IOException {
    List<StorageContent> storages = new ArrayList<>();
    Map<Object, Object> root = new LinkedHashMap<>();
    root.put("args", new Instance("argparse", "Namespace", args));
    root.put("checkpoint_version", version);
    root.put("iteration", iteration);
    for (int v = 0; v < virtual; v++) {
      Map<Object, Object> chunk = new LinkedHashMap<>();
      for (Map.Entry<String, WholeTensor> entry : chunk(p, e, v).entrySet()) {
        put(chunk, entry.getKey(), value(share(entry.getKey(), entry.getValue(), t), storages));
      }
      put(chunk, "decoder.layers.0.mlp._extra_state", null);
      root.put(virtual > 1 ? "model" + v : "model", chunk);
    }
    WholeTensor moment = new WholeTensor(DType.F32, model.values().iterator().next().shape(), null);
    root.put("optimizer", dict("state", dict(0L, dict("exp_avg", value(zeros(moment), storages)))));
    Files.createDirectories(folder);
    TorchZipWriter.write(folder.resolve(MODEL), new OrderedDict(root), storages);
  }

  private static WholeTensor zeros(WholeTensor like) {
    return new WholeTensor(
        DType.F32, like.shape(), new byte[Math.toIntExact(like.shape().elements() * 4)]);
  }

  private void put(Map<Object, Object> chunk, String name, Object value) {
    String[] keys = nested ? name.split("\\.(?=embedding|encoder|output_layer|word_)", -1) : null;
    if (keys == null || keys.length == 1) {
      chunk.put(name, value);
      return;
    }
    List<String> path = new ArrayList<>(List.of(keys));
    String last = path.remove(path.size() - 1);
    int dot = last.indexOf('.');
    path.add(last.substring(0, dot));
    Map<Object, Object> at = chunk;
    for (String key : path) {
      @SuppressWarnings("unchecked")
      Map<Object, Object> inner =
          (Map<Object, Object>) at.computeIfAbsent(key, k -> new LinkedHashMap<>());
      at = inner;
    }
    at.put(last.substring(dot + 1), value);
  }

  private static TensorValue value(WholeTensor tensor, List<StorageContent> storages) {
    StorageContent content = StorageContent.of(tensor.dtype(), tensor.bytes());
    storages.add(content);
    List<Long> strides = new ArrayList<>();
    long stride = 1;
    for (int d = tensor.shape().rank() - 1; d >= 0; d--) {
      strides.add(0, stride);
      stride *= tensor.shape().dim(d);
    }
    return new TensorValue(
        String.valueOf(storages.size() - 1),
        tensor.dtype() == DType.BF16 ? "BFloat16Storage" : "FloatStorage",
        content.elements(),
        0,
        tensor.shape(),
        strides);
  }

  /** Whole tensors of a stage under their names there. */
  private Map<String, WholeTensor> chunk(int p, int e, int v) {
    int each = layers() / pipeline / virtual;
    int before = (v * pipeline + p) * each;
    boolean first = v == 0 && p == 0;
    boolean last = v == virtual - 1 && p == pipeline - 1;
    Map<String, WholeTensor> chunk = new LinkedHashMap<>();
    model.forEach(
        (name, whole) -> {
          Matcher layer = LAYER.matcher(name);
          if (layer.matches()) {
            int local = Integer.parseInt(layer.group(2)) - before;
            if (local >= 0 && local < each) {
              expert(layer.group(1) + local + layer.group(3), e, whole, chunk);
            }
          } else if (name.contains("embedding.") ? first : last) {
            chunk.put(name, whole);
          }
        });
    return chunk;
  }

  private void expert(String name, int e, WholeTensor whole, Map<String, WholeTensor> chunk) {
    Matcher matcher = EXPERT.matcher(name);
    if (!matcher.matches()) {
      chunk.put(name, whole);
      return;
    }
    int each = experts() / expert;
    int local = Integer.parseInt(matcher.group(2)) - e * each;
    if (local >= 0 && local < each) {
      chunk.put(matcher.group(1) + local + matcher.group(3), whole);
    }
  }

  /** What a tensor-parallel rank has. */
  private WholeTensor share(String name, WholeTensor whole, int t) {
    if (wholeExperts && EXPERT.matcher(name).matches()) {
      return whole;
    }
    if (name.matches(".*(word_embeddings|output_layer|linear_qkv|query_key_value).*(weight|bias)")
        && !name.contains("layer_norm")) {
      return whole.part(0, tensor, t);
    }
    if (name.matches(".*(linear_proj|dense|linear_fc2|dense_4h_to_h)\\.weight\\d*")) {
      return whole.part(1, tensor, t);
    }
    if (name.matches(".*(linear_fc1|dense_h_to_4h)\\.weight\\d*")) {
      // Of the gate its part, and of what is gated.
      return WholeTensor.joined(
          List.of(whole.part(0, 2, 0).part(0, tensor, t), whole.part(0, 2, 1).part(0, tensor, t)));
    }
    return whole;
  }
}
