package dev.reweave.checkpoint.dcp;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.PickleWriter.Call;
import dev.reweave.testing.PickleWriter.Global;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints whose metadata does not fit their files, by accident or on purpose. */
class DcpMetadataProblemsTest {
  private static final String MODULE = "torch.distributed.checkpoint.metadata";
  private static final String FILE = "__0_0.distcp";

  @TempDir Path temp;
  private final ByteArrayOutputStream streams = new ByteArrayOutputStream();
  private final Map<Object, Object> tensors = dict();
  private final Map<Object, Object> places = dict();
  private final Map<Object, Object> planner = dict();

  private static Call size(Long... dims) {
    return new Call("torch", "Size", List.of(new Tuple(Arrays.asList(dims))));
  }

  private static Instance chunk(List<Long> offsets, List<Long> sizes) {
    return new Instance(
        MODULE,
        "ChunkStorageMetadata",
        dict(
            "offsets",
            size(offsets.toArray(Long[]::new)),
            "sizes",
            size(sizes.toArray(Long[]::new))));
  }

  private void tensor(String name, String dtype, List<Long> shape, Instance... chunks) {
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

  private void place(String name, List<Long> offsets, Map<?, ?> info) {
    places.put(
        new Instance(
            MODULE,
            "MetadataIndex",
            dict("fqn", name, "offset", size(offsets.toArray(Long[]::new)), "index", 0)),
        new Instance("torch.distributed.checkpoint.filesystem", "_StorageInfo", info));
  }

  private static Map<Object, Object> info(String path, long offset, long length) {
    return dict("relative_path", path, "offset", offset, "length", length);
  }

  /** Appends a stream with float32 zeros to the file, and says where it is. */
  private Map<Object, Object> store(Long... shape) throws IOException {
    Shape dims = Shape.of(List.of(shape));
    Path zip = temp.resolve("archive.pt");
    TorchZipWriter.write(
        zip,
        new TensorValue(
            "0",
            "FloatStorage",
            dims.elements(),
            0,
            dims,
            Arrays.stream(dims.rowMajorStrides()).boxed().toList()),
        List.of(StorageContent.of(DType.F32, new byte[(int) dims.elements() * Float.BYTES])));
    byte[] content = Files.readAllBytes(zip);
    long offset = streams.size();
    streams.writeBytes(content);
    return info(FILE, offset, content.length);
  }

  private void whole(String name, Long... shape) throws IOException {
    List<Long> start = Arrays.stream(shape).map(dim -> 0L).toList();
    tensor(name, "float32", List.of(shape), chunk(start, List.of(shape)));
    place(name, start, store(shape));
  }

  private Checkpoint read() throws IOException {
    return read(metadata());
  }

  private Instance metadata(Object... more) {
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

  private Checkpoint read(Object metadata) throws IOException {
    return read(PickleWriter.pickle(metadata));
  }

  private Checkpoint read(byte[] metadata) throws IOException {
    Path folder = Files.createDirectories(temp.resolve("ckpt"));
    Files.write(folder.resolve(".metadata"), metadata);
    Files.write(folder.resolve(FILE), streams.toByteArray());
    Stores stores = new Stores(new Configuration());
    return new CheckpointReader(stores, new ThreadScanner(stores))
        .read(Locations.of(folder), ReadOptions.defaults());
  }

  private String problem() {
    return assertThrows(ReweaveException.class, this::read).problem();
  }

  private static List<String> names(Checkpoint checkpoint) {
    return checkpoint.tensors().stream().map(NamedTensor::name).toList();
  }

  @Test
  void keepsNamesThatWereNeverNested() throws IOException {
    whole("model.embed_tokens.weight", 3L);
    whole("model.norm.weight", 2L);
    whole("optimizer.state.fp32_param.model.norm.weight", 2L);
    whole("rng_state", 2L);
    Checkpoint checkpoint = read();
    assertEquals(List.of("model.embed_tokens.weight", "model.norm.weight"), names(checkpoint));
    assertEquals(
        List.of(
            "among the training state are fp32 masters: the weights are the model's own;"
                + " --weights master takes those"),
        checkpoint.notes());
    assertEquals(
        List.of(
            "training state below 'optimizer', 'rng_state', 2 tensors, left out: no part of the"
                + " model"),
        checkpoint.notTaken().stream().map(NotTaken::text).toList());
  }

  /** Files say of which format they are, and not which torch wrote them. */
  @Test
  void warnsOfANewerFormat() throws IOException {
    whole("weight", 3L);

    assertEquals(List.of(), read().cautions());
    assertEquals(List.of(), read(metadata("version", "1.0.0")).cautions());
    assertEquals(List.of(), read(metadata("version", null)).cautions());
    List<Caution> cautions = read(metadata("version", "1.1.0")).cautions();
    assertEquals(1, cautions.size());
    assertEquals(
        "written by distributed checkpoint format 1.1.0; tested up to 1.0.0",
        cautions.get(0).problem());
    assertEquals("file:" + temp.resolve("ckpt/.metadata"), cautions.get(0).place());
  }

  @Test
  void leavesCountersBesideTheModelOut() throws IOException {
    whole("model.weight", 3L);
    whole("step");
    planner.put("model.weight", new Tuple(List.of("model", "weight")));
    planner.put("step", new Tuple(List.of("step")));
    Checkpoint checkpoint = read();
    assertEquals(List.of("weight"), names(checkpoint));
    assertEquals(
        List.of("all weights lie below 'model.', which is left off their names"),
        checkpoint.notes());
    assertEquals(
        List.of("numbers beside the model, such as 'step', 1 tensor, left out: no part of it"),
        checkpoint.notTaken().stream().map(NotTaken::text).toList());
  }

  /** Whatever its key is called: the moments in it are an optimizer's. */
  @Test
  void leavesAnOptimizerUnderAnyKeyOut() throws IOException {
    whole("net.model.weight", 3L);
    whole("net.opt.state.weight.exp_avg", 3L);
    whole("net.opt.state.weight.step");
    planner.put("net.model.weight", new Tuple(List.of("net", "model", "weight")));
    planner.put(
        "net.opt.state.weight.exp_avg", new Tuple(List.of("net", "opt", "state.weight.exp_avg")));
    planner.put("net.opt.state.weight.step", new Tuple(List.of("net", "opt", "state.weight.step")));
    Checkpoint checkpoint = read();
    assertEquals(List.of("weight"), names(checkpoint));
    assertEquals(
        List.of("training state below 'opt', 2 tensors, left out: no part of the model"),
        checkpoint.notTaken().stream().map(NotTaken::text).toList());
  }

  @Test
  void keepsAllNamesWhereWeightsLieInSeveralPlaces() throws IOException {
    whole("model.weight", 3L);
    whole("ema.weight", 3L);
    planner.put("model.weight", new Tuple(List.of("model", "weight")));
    planner.put("ema.weight", new Tuple(List.of("ema", "weight")));
    Checkpoint checkpoint = read();
    assertEquals(List.of("model.weight", "ema.weight"), names(checkpoint));
    assertEquals(
        List.of(
            "beside 'model' there are weights below 'ema': all are taken, under names that begin"
                + " with these keys"),
        checkpoint.notes());
  }

  @Test
  void readsStackedLayersAndCopies() throws IOException {
    Instance first = chunk(List.of(0L, 0L), List.of(1L, 4L));
    tensor(
        "layers",
        "float32",
        List.of(2L, 4L),
        first,
        first,
        chunk(List.of(1L, 0L), List.of(1L, 4L)));
    place("layers", List.of(0L, 0L), store(1L, 4L));
    place("layers", List.of(1L, 0L), store(4L));
    NamedTensor layers = read().tensors().get(0);
    assertEquals(Shape.of(2, 4), layers.spec().shape());
    List<String> runs = new ArrayList<>();
    layers.layout().runs(2, 6, (s, offset, n) -> runs.add(s.name() + " " + offset + "+" + n));
    assertEquals(List.of("layers chunk [0, 0] data/0 2+2", "layers chunk [1, 0] data/0 0+2"), runs);
  }

  @Test
  void refusesChunksThatDoNotMakeUpTheTensor() throws IOException {
    tensor(
        "w",
        "float32",
        List.of(4L),
        chunk(List.of(0L), List.of(3L)),
        chunk(List.of(2L), List.of(2L)));
    place("w", List.of(0L), store(3L));
    place("w", List.of(2L), store(2L));
    assertEquals(
        "the chunks of tensor w do not make it up: the block at [2] of [2] overlaps the block at"
            + " [0] of [3]",
        problem());
    tensor("w", "float32", List.of(4L), chunk(List.of(0L), List.of(3L)));
    assertEquals(
        "the chunks of tensor w do not make it up: no block covers the tensor at [3]", problem());
    tensor("w", "float32", List.of(1L << 62), chunk(List.of(0L), List.of(3L)));
    assertEquals(
        "the chunks of tensor w do not make it up: tensor w of shape [4611686018427387904]"
            + " overflows",
        problem());
    tensor("w", "float32", List.of(4L));
    assertEquals(
        "the chunks of tensor w do not make it up: no block for a tensor of shape [4]", problem());
    tensor(
        "w",
        "float32",
        List.of(4L),
        chunk(List.of(0L), List.of(3L)),
        chunk(List.of(0L), List.of(2L)));
    assertEquals("two chunks of different shapes start at [0] of tensor w", problem());
    tensor("w", "float32", List.of(1L << 40, 1L << 40), chunk(List.of(0L), List.of(3L)));
    assertEquals("a shape is impossible", problem());
    tensor("w", "float32", List.of(4L), chunk(List.of(Long.MAX_VALUE), List.of(4L)));
    assertEquals("a chunk is stored nowhere", problem());
  }

  @Test
  void refusesTensorsWithoutChunks() throws IOException {
    tensor("w", "float32", List.of(4L), chunk(List.of(0L), List.of(4L)));
    place("w", List.of(0L), store(4L));
    tensors.put(
        "v", new Instance(MODULE, "TensorStorageMetadata", dict("size", size(4L), "parts", 1)));
    place("v", List.of(0L), store(4L));

    assertEquals(
        "'properties' is missing: this is not the metadata of a distributed checkpoint", problem());
  }

  @Test
  void refusesChunksThatAreNotWhatTheMetadataStates() throws IOException {
    tensor("w", "float32", List.of(4L), chunk(List.of(0L), List.of(4L)));
    place("w", List.of(0L), store(2L, 2L));
    ReweaveException e = assertThrows(ReweaveException.class, this::read);
    assertEquals(
        "the metadata states float32 of shape [4], and stored is float32 of shape [2, 2]",
        e.problem());
    assertTrue(e.place().endsWith("__0_0.distcp w chunk [0]"), e.place());
    tensor("w", "bfloat16", List.of(2L, 2L), chunk(List.of(0L), List.of(2L, 2L)));
    assertEquals(
        "the metadata states bfloat16 of shape [2, 2], and stored is float32 of shape [2, 2]",
        problem());
    tensor("w", "complex128", List.of(2L, 2L), chunk(List.of(0L), List.of(2L, 2L)));
    e = assertThrows(ReweaveException.class, this::read);
    assertEquals(ReweaveException.Kind.UNSUPPORTED_INPUT, e.kind());
    assertEquals("elements of type torch.complex128, which is not read", e.problem());
    assertTrue(e.remedy().startsWith("make it one where it was saved (dequantize"), e.remedy());
  }

  @Test
  void refusesPlacesOutsideTheFiles() throws IOException {
    tensor("w", "float32", List.of(4L), chunk(List.of(0L), List.of(4L)));
    long length = (Long) store(4L).get("length");
    for (long[] wrong :
        new long[][] {
          {1, length}, {-1, 1}, {0, -1}, {Long.MAX_VALUE, length}, {0, Long.MAX_VALUE}
        }) {
      places.clear();
      place("w", List.of(0L), info(FILE, wrong[0], wrong[1]));
      assertEquals(
          "the file has "
              + length
              + " bytes, and w chunk [0] should be "
              + wrong[1]
              + " bytes from "
              + wrong[0],
          problem());
    }
    for (long[] part : new long[][] {{1, length - 1}, {0, length - 1}, {length, 0}, {3, 10}}) {
      places.clear();
      place("w", List.of(0L), info(FILE, part[0], part[1]));
      assertThrows(ReweaveException.class, this::read);
    }
    places.clear();
    place("w", List.of(0L), info("../ckpt/" + FILE, 0, length));
    assertEquals("the file '../ckpt/__0_0.distcp' is missing, which holds w chunk [0]", problem());
  }

  @Test
  void refusesTransformedChunks() throws IOException {
    tensor("w", "float32", List.of(4L), chunk(List.of(0L), List.of(4L)));
    Map<Object, Object> info = store(4L);
    info.put("transform_descriptors", List.of("stream.zstd"));
    place("w", List.of(0L), info);
    assertEquals("chunks that were compressed or otherwise transformed are not read", problem());
  }

  @Test
  void refusesWhatIsNoMetadata() throws IOException {
    assertEquals(
        "'state_dict_metadata' is missing: this is not the metadata of a distributed checkpoint",
        assertThrows(ReweaveException.class, () -> read(dict("a", 1))).problem());
    assertThrows(ReweaveException.class, () -> read(new byte[0]));
    assertThrows(ReweaveException.class, () -> read(new byte[] {(byte) 0x80, 4, 'x'}));
    whole("optimizer.state.w", 2L);
    assertEquals(
        "the checkpoint holds no weights: training state below 'optimizer', 1 tensor, left out: no"
            + " part of the model",
        problem());
  }

  @Test
  void survivesEveryCutOffMetadata() throws IOException {
    whole("w", 2L);
    read();
    byte[] pickle = Files.readAllBytes(temp.resolve("ckpt/.metadata"));
    for (int length = 0; length < pickle.length; length += 7) {
      byte[] cut = Arrays.copyOf(pickle, length);
      assertThrows(ReweaveException.class, () -> read(cut));
    }
  }
}
