package dev.reweave.format.pytorch;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The {@code .metadata} of a distributed checkpoint: the pickle of the {@code Metadata} that {@code
 * torch.distributed.checkpoint.save} makes of a flat state dict ({@code metadata.py}, {@code
 * default_planner.py} and {@code filesystem.py} of torch 2.15), without what names the run that
 * saved it.
 */
public final class DistributedMetadata {
  private static final String METADATA = "torch.distributed.checkpoint.metadata";

  /** {@code CURRENT_DCP_VERSION}. */
  private static final String VERSION = "1.0.0";

  /** {@code torch.strided}: every torch pickles it so. */
  private static final PickledValue STRIDED =
      PickledValue.call(
          PickledValue.global("torch.serialization", "_get_layout"),
          List.of(PickledValue.text("torch.strided")));

  /** {@code TORCH_CONTIGUOUS_FORMAT}. */
  private static final PickledValue CONTIGUOUS =
      PickledValue.call(
          PickledValue.global(METADATA, "_MEM_FORMAT_ENCODING"), List.of(PickledValue.integer(0)));

  /**
   * Where a box of a tensor lies.
   *
   * @param offsets of its first element in each dimension, as torch counts them
   * @param sizes lengths of its dimensions
   * @param file name of the file beside the metadata
   * @param position of its item in the file, in bytes
   * @param length of the item in bytes
   */
  public record Box(List<Long> offsets, Shape sizes, String file, long position, long length) {
    public Box {
      offsets = List.copyOf(offsets);
    }
  }

  private final Map<PickledValue, PickledValue> tensors = new LinkedHashMap<>();
  private final Map<PickledValue, PickledValue> ways = new LinkedHashMap<>();

  // Keys are values of their own that are never equal, as those of a dict must be.
  private final List<PickledValue> indexes = new ArrayList<>();
  private final List<PickledValue> places = new ArrayList<>();

  /**
   * Checks that torch has a tensor's type.
   *
   * @throws dev.reweave.common.ReweaveException if it has not
   */
  public static void require(TensorSpec tensor) {
    TensorPickle.check(tensor);
  }

  /**
   * Adds a tensor behind those that are there. Several can have the same boxes.
   *
   * @param tensor with its name
   * @param boxes all of it
   * @throws dev.reweave.common.ReweaveException if torch has no such type
   */
  public void add(TensorSpec tensor, List<Box> boxes) {
    require(tensor);
    PickledValue name = PickledValue.text(tensor.name());
    List<PickledValue> chunks = new ArrayList<>();
    for (Box box : boxes) {
      PickledValue offsets = size(box.offsets());
      chunks.add(
          made("ChunkStorageMetadata", fields("offsets", offsets, "sizes", size(box.sizes()))));
      indexes.add(
          made(
              "MetadataIndex",
              fields(
                  "fqn",
                  name,
                  "index",
                  PickledValue.integer(chunks.size() - 1),
                  "offset",
                  offsets)));
      places.add(place(box));
    }
    PickledValue known =
        made(
            "TensorStorageMetadata",
            fields(
                "properties",
                properties(tensor.dtype()),
                "size",
                size(tensor.torchShape()),
                "chunks",
                PickledValue.list(chunks)));
    if (tensors.put(name, known) != null) {
      throw new IllegalArgumentException("two tensors of the name " + tensor.name());
    }
    ways.put(name, PickledValue.tuple(List.of(name)));
  }

  /**
   * The file.
   *
   * @throws dev.reweave.common.ReweaveException if a name cannot be written
   */
  public byte[] bytes() {
    PickledValue saved =
        made(
            "StorageMeta",
            fields(
                "checkpoint_id",
                PickledValue.none(),
                "save_id",
                PickledValue.none(),
                "load_id",
                PickledValue.none(),
                "modules",
                PickledValue.list(List.of())));
    PickledValue all =
        made(
            "Metadata",
            fields(
                "state_dict_metadata",
                PickledValue.dict(tensors),
                "planner_data",
                PickledValue.dict(ways),
                "storage_data",
                new PickledValue.Entries(indexes, places),
                "storage_meta",
                saved,
                "version",
                PickledValue.text(VERSION)));
    return ValuePickle.of(all).pickle();
  }

  private static PickledValue place(Box box) {
    return PickledValue.instance(
            PickledValue.global("torch.distributed.checkpoint.filesystem", "_StorageInfo"),
            List.of())
        .withState(
            fields(
                "relative_path",
                PickledValue.text(box.file()),
                "offset",
                PickledValue.integer(box.position()),
                "length",
                PickledValue.integer(box.length())));
  }

  /**
   * {@code TensorProperties} as every torch reads them: from 2.15 on it writes strides as well,
   * which no loader asks for, and which those before it do not take.
   */
  private static PickledValue properties(DType dtype) {
    String name = dtype == DType.F4 ? DType.TORCH_PAIR : dtype.torchName();
    return made(
        "TensorProperties",
        PickledValue.tuple(
            List.of(
                PickledValue.global("torch", name),
                STRIDED,
                PickledValue.truth(false), // requires_grad
                CONTIGUOUS,
                PickledValue.truth(false)))); // pin_memory
  }

  private static PickledValue made(String type, PickledValue state) {
    return PickledValue.instance(PickledValue.global(METADATA, type), List.of()).withState(state);
  }

  /** Names of attributes, each before its value. */
  private static PickledValue fields(Object... namesAndValues) {
    Map<PickledValue, PickledValue> fields = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.put(
          PickledValue.text((String) namesAndValues[i]), (PickledValue) namesAndValues[i + 1]);
    }
    return PickledValue.dict(fields);
  }

  private static PickledValue size(Shape shape) {
    return size(Arrays.stream(shape.dims()).boxed().toList());
  }

  private static PickledValue size(List<Long> dims) {
    return PickledValue.size(dims.stream().map(PickledValue::integer).toList());
  }
}
