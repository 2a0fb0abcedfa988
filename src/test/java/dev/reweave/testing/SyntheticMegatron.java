package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.PickleWriter.Call;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.SyntheticWeights.Segment;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * A checkpoint of any size, as Megatron-Core 0.16 writes it with {@code torch_dist}: all layers of
 * a kind in one tensor, of which each tensor-parallel rank stores its part of each layer by itself.
 * Values are F32 and those of {@link SyntheticWeights}, tensors counted in the order of their names
 * in {@link #write}. Heads are 64 wide, and each has keys and values of its own.
 */
public final class SyntheticMegatron {
  private static final String METADATA = "torch.distributed.checkpoint.metadata";
  private static final String FILES = "torch.distributed.checkpoint.filesystem";
  private static final long HEAD = 64;

  /** How ranks share a matrix. */
  private enum Split {
    ROWS,
    COLUMNS,
    /** Rows of the upper and of the lower half, as gate and up are kept. */
    HALVES,
    /** The first one stores all. */
    NOT
  }

  /**
   * The form of a model like Llama, in elements.
   *
   * @param width of the model: a multiple of 64 times the number of ranks
   * @param hidden width inside the MLP
   */
  public record Form(long layers, long width, long hidden, long vocabulary) {
    /** The form that {@link SyntheticCheckpoint#llama} has for this many bytes. */
    public static Form ofBytes(long totalBytes) {
      List<TensorSpec> params = SyntheticCheckpoint.llama(totalBytes);
      long[] embedding = params.get(0).shape().dims();
      long[] gate = params.get(5).shape().dims();
      // Nine tensors for each layer, the table of embeddings, a norm, the head.
      return new Form((params.size() - 3) / 9, embedding[1], gate[0], embedding[0]);
    }
  }

  private final Path folder;
  private final int ranks;
  private final SyntheticWeights weights;
  private final Map<Object, Object> tensors = dict();
  private final Map<Object, Object> places = dict();
  private int params;

  private SyntheticMegatron(Path folder, int ranks, long seed) {
    this.folder = folder;
    this.ranks = ranks;
    this.weights = new SyntheticWeights(seed);
  }

  /**
   * Writes a checkpoint in bounded memory.
   *
   * @param root the folder, which is made if it is missing
   * @param ranks that share each tensor
   * @param form of the model
   * @param seed of the values
   */
  public static void write(Path root, int ranks, Form form, long seed) throws IOException {
    Path folder = Files.createDirectories(root.resolve("iter_0000001"));
    new SyntheticMegatron(folder, ranks, seed).write(form);
    Files.writeString(root.resolve("latest_checkpointed_iteration.txt"), "1");
  }

  private void write(Form form) throws IOException {
    long width = form.width();
    tensor("embedding.word_embeddings.weight", Split.ROWS, form.vocabulary(), width);
    layers(form, "self_attention.linear_qkv.layer_norm_weight", Split.NOT, width);
    layers(form, "self_attention.linear_qkv.weight", Split.ROWS, 3 * width, width);
    layers(form, "self_attention.linear_proj.weight", Split.COLUMNS, width, width);
    layers(form, "mlp.linear_fc1.layer_norm_weight", Split.NOT, width);
    layers(form, "mlp.linear_fc1.weight", Split.HALVES, 2 * form.hidden(), width);
    layers(form, "mlp.linear_fc2.weight", Split.COLUMNS, width, form.hidden());
    tensor("decoder.final_layernorm.weight", Split.NOT, width);
    tensor("output_layer.weight", Split.ROWS, form.vocabulary(), width);
    writeMetadata();
    writeArguments(form);
  }

  private void layers(Form form, String kind, Split split, long... dims) throws IOException {
    long[] all = LongStream.concat(LongStream.of(form.layers()), LongStream.of(dims)).toArray();
    tensor("decoder.layers." + kind, split, all);
  }

  /** A tensor whose last two dimensions are those of a matrix, or whose last one is a vector's. */
  private void tensor(String name, Split split, long... dims) throws IOException {
    Shape shape = Shape.of(dims);
    List<Instance> chunks = new ArrayList<>();
    int inner = split == Split.NOT ? 1 : 2;
    long layers = dims.length > inner ? dims[0] : 1;
    for (long layer = 0; layer < layers; layer++) {
      for (int rank = 0; rank < (split == Split.NOT ? 1 : ranks); rank++) {
        for (int half = 0; half < (split == Split.HALVES ? 2 : 1); half++) {
          long[] first = new long[dims.length];
          long[] sizes = dims.clone();
          if (dims.length > inner) {
            first[0] = layer;
            sizes[0] = 1;
          }
          if (split != Split.NOT) {
            int dim = dims.length - (split == Split.COLUMNS ? 1 : 2);
            int parts = ranks * (split == Split.HALVES ? 2 : 1);
            sizes[dim] = dims[dim] / parts;
            first[dim] = (half * ranks + rank) * sizes[dim];
          }
          chunks.add(chunk(name, shape, rank, first, sizes));
        }
      }
    }
    params++;
    tensors.put(
        name,
        new Instance(
            METADATA,
            "TensorStorageMetadata",
            dict(
                "properties",
                new Instance(
                    METADATA, "TensorProperties", dict("dtype", new Global("torch", "float32"))),
                "size",
                size(dims),
                "chunks",
                chunks)));
  }

  private Instance chunk(String name, Shape shape, int rank, long[] first, long... sizes)
      throws IOException {
    Shape part = Shape.of(sizes);
    StorageContent content = weights.storage(DType.F32, segments(shape, first, sizes));
    TorchFile file = new TorchFile();
    Path archive = folder.resolve("archive.pt");
    file.write(archive, file.add(content).view(0, part));
    Path target = folder.resolve("__" + rank + "_0.distcp");
    long start;
    try (FileChannel from = FileChannel.open(archive);
        FileChannel to =
            FileChannel.open(target, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      start = to.size();
      for (long at = 0; at < from.size(); ) {
        at += from.transferTo(at, from.size() - at, to);
      }
    }
    Map<Object, Object> place =
        dict(
            "relative_path",
            target.getFileName().toString(),
            "offset",
            start,
            "length",
            Files.size(archive));
    Files.delete(archive);
    places.put(
        new Instance(
            METADATA, "MetadataIndex", dict("fqn", name, "offset", size(first), "index", null)),
        new Instance(FILES, "_StorageInfo", place));
    return new Instance(
        METADATA, "ChunkStorageMetadata", dict("offsets", size(first), "sizes", size(sizes)));
  }

  /** Of the whole tensor, in row-major order: neighbouring rows of whole width are one. */
  private List<Segment> segments(Shape shape, long[] first, long... sizes) {
    long[] strides = shape.rowMajorStrides();
    long start = 0;
    for (int dim = 0; dim < first.length; dim++) {
      start += first[dim] * strides[dim];
    }
    int last = sizes.length - 1;
    if (sizes[last] == shape.dims()[last]) {
      return List.of(new Segment(params, start, Shape.of(sizes).elements()));
    }
    List<Segment> rows = new ArrayList<>();
    for (long row = 0; row < sizes[last - 1]; row++) {
      rows.add(new Segment(params, start + row * strides[last - 1], sizes[last]));
    }
    return rows;
  }

  private void writeMetadata() throws IOException {
    Map<Object, Object> all =
        dict(
            "state_dict_metadata",
            tensors,
            "planner_data",
            null,
            "storage_data",
            places,
            "storage_meta",
            null);
    Files.write(
        folder.resolve(".metadata"), PickleWriter.pickle(new Instance(METADATA, "Metadata", all)));
  }

  private void writeArguments(Form form) throws IOException {
    Map<Object, Object> args =
        dict(
            "num_layers",
            form.layers(),
            "hidden_size",
            form.width(),
            "num_attention_heads",
            form.width() / HEAD,
            "group_query_attention",
            false,
            "kv_channels",
            HEAD,
            "ffn_hidden_size",
            form.hidden(),
            "vocab_size",
            form.vocabulary());
    TorchZipWriter.write(
        folder.resolve("common.pt"),
        dict("args", new Instance("argparse", "Namespace", args)),
        List.of());
  }

  private static Call size(long... dims) {
    return new Call("torch", "Size", List.of(new Tuple(Arrays.stream(dims).boxed().toList())));
  }
}
