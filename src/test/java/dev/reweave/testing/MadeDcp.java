package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.PickleWriter.Call;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What ranks write with {@code torch.distributed.checkpoint}: tensors of float32 zeros. */
public final class MadeDcp {
  /** The only file of chunks. */
  public static final String FILE = "__0_0.distcp";

  private static final String MODULE = "torch.distributed.checkpoint.metadata";

  private final Path archive;
  private final ByteArrayOutputStream streams = new ByteArrayOutputStream();

  /** What the metadata tell of each tensor. */
  public final Map<Object, Object> tensors = dict();

  /** Where each chunk is. */
  public final Map<Object, Object> places = dict();

  /** The keys that lead to each tensor; none for what was never nested. */
  public final Map<Object, Object> planner = dict();

  /**
   * @param archive a file that it may write
   */
  public MadeDcp(Path archive) {
    this.archive = archive;
  }

  /** A {@code torch.Size}. */
  public static Call size(Long... dims) {
    return new Call("torch", "Size", List.of(new Tuple(Arrays.asList(dims))));
  }

  /** What the metadata tell of a part of a tensor. */
  public static Instance chunk(List<Long> offsets, List<Long> sizes) {
    return new Instance(
        MODULE,
        "ChunkStorageMetadata",
        dict(
            "offsets",
            size(offsets.toArray(Long[]::new)),
            "sizes",
            size(sizes.toArray(Long[]::new))));
  }

  /** Tells of a tensor. */
  public void tensor(String name, String dtype, List<Long> shape, Instance... chunks) {
    tensors.put(
        name,
        new Instance(
            MODULE,
            "TensorStorageMetadata",
            dict(
                "properties",
                new Instance(MODULE, "TensorProperties", dict("dtype", new Global("torch", dtype))),
                "size",
                size(shape.toArray(Long[]::new)),
                "chunks",
                new ArrayList<>(Arrays.asList(chunks)))));
  }

  /** Tells where a chunk is. */
  public void place(String name, List<Long> offsets, Map<?, ?> info) {
    places.put(
        new Instance(
            MODULE,
            "MetadataIndex",
            dict("fqn", name, "offset", size(offsets.toArray(Long[]::new)), "index", 0)),
        new Instance("torch.distributed.checkpoint.filesystem", "_StorageInfo", info));
  }

  /** A place in a file. */
  public static Map<Object, Object> info(String path, long offset, long length) {
    return dict("relative_path", path, "offset", offset, "length", length);
  }

  /** Appends a stream with float32 zeros to the file, and says where it is. */
  public Map<Object, Object> store(Long... shape) throws IOException {
    Shape dims = Shape.of(List.of(shape));
    TorchZipWriter.write(
        archive,
        new TensorValue(
            "0",
            "FloatStorage",
            dims.elements(),
            0,
            dims,
            Arrays.stream(dims.rowMajorStrides()).boxed().toList()),
        List.of(StorageContent.of(DType.F32, new byte[(int) dims.elements() * Float.BYTES])));
    byte[] content = Files.readAllBytes(archive);
    long offset = streams.size();
    streams.writeBytes(content);
    return info(FILE, offset, content.length);
  }

  /** A tensor that one chunk holds. */
  public void whole(String name, Long... shape) throws IOException {
    List<Long> start = Arrays.stream(shape).map(dim -> 0L).toList();
    tensor(name, "float32", List.of(shape), chunk(start, List.of(shape)));
    place(name, start, store(shape));
  }

  /** All that is told, and more. */
  public Instance metadata(Object... more) {
    Map<Object, Object> attributes =
        dict(
            "state_dict_metadata",
            tensors,
            "planner_data",
            planner,
            "storage_data",
            places,
            "storage_meta",
            null);
    attributes.putAll(dict(more));
    return new Instance(MODULE, "Metadata", attributes);
  }

  /** A tensor that one chunk holds, below these keys. */
  public void nested(List<String> path, Long... shape) throws IOException {
    String name = String.join(".", path);
    whole(name, shape);
    planner.put(name, new Tuple(path));
  }

  /** Writes the folder. */
  public Path write(Path folder) throws IOException {
    return write(folder, PickleWriter.pickle(metadata()));
  }

  /** Writes the folder with other metadata. */
  public Path write(Path folder, byte[] metadata) throws IOException {
    Files.createDirectories(folder);
    Files.write(folder.resolve(".metadata"), metadata);
    Files.write(folder.resolve(FILE), streams.toByteArray());
    return folder;
  }
}
