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
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Locations;
import dev.reweave.testing.MadeDcp;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.Tuple;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints whose metadata does not fit their files, by accident or on purpose. */
class DcpMetadataProblemsTest {
  private static final String MODULE = "torch.distributed.checkpoint.metadata";

  @TempDir Path temp;
  private MadeDcp made;

  @BeforeEach
  void begin() {
    made = new MadeDcp(temp.resolve("archive.pt"));
  }

  private Checkpoint read() throws IOException {
    return read(made.metadata());
  }

  private Checkpoint read(Object metadata) throws IOException {
    return read(PickleWriter.pickle(metadata));
  }

  private Checkpoint read(byte[] metadata) throws IOException {
    Path folder = made.write(temp.resolve("ckpt"), metadata);
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
    made.whole("model.embed_tokens.weight", 3L);
    made.whole("model.norm.weight", 2L);
    made.whole("optimizer.state.fp32_param.model.norm.weight", 2L);
    made.whole("rng_state", 2L);
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
    made.whole("weight", 3L);

    assertEquals(List.of(), read().cautions());
    assertEquals(List.of(), read(made.metadata("version", "1.0.0")).cautions());
    assertEquals(List.of(), read(made.metadata("version", null)).cautions());
    List<Caution> cautions = read(made.metadata("version", "1.1.0")).cautions();
    assertEquals(1, cautions.size());
    assertEquals(
        "written by distributed checkpoint format 1.1.0; tested up to 1.0.0",
        cautions.get(0).problem());
    assertEquals("file:" + temp.resolve("ckpt/.metadata"), cautions.get(0).place());
  }

  @Test
  void leavesCountersBesideTheModelOut() throws IOException {
    made.whole("model.weight", 3L);
    made.whole("step");
    made.planner.put("model.weight", new Tuple(List.of("model", "weight")));
    made.planner.put("step", new Tuple(List.of("step")));
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
    made.whole("net.model.weight", 3L);
    made.whole("net.opt.state.weight.exp_avg", 3L);
    made.whole("net.opt.state.weight.step");
    made.planner.put("net.model.weight", new Tuple(List.of("net", "model", "weight")));
    made.planner.put(
        "net.opt.state.weight.exp_avg", new Tuple(List.of("net", "opt", "state.weight.exp_avg")));
    made.planner.put(
        "net.opt.state.weight.step", new Tuple(List.of("net", "opt", "state.weight.step")));
    Checkpoint checkpoint = read();
    assertEquals(List.of("weight"), names(checkpoint));
    assertEquals(
        List.of("training state below 'opt', 2 tensors, left out: no part of the model"),
        checkpoint.notTaken().stream().map(NotTaken::text).toList());
  }

  @Test
  void keepsAllNamesWhereWeightsLieInSeveralPlaces() throws IOException {
    made.whole("model.weight", 3L);
    made.whole("teacher.weight", 3L);
    made.planner.put("model.weight", new Tuple(List.of("model", "weight")));
    made.planner.put("teacher.weight", new Tuple(List.of("teacher", "weight")));
    Checkpoint checkpoint = read();
    assertEquals(List.of("model.weight", "teacher.weight"), names(checkpoint));
    assertEquals(
        List.of(
            "beside 'model' there are weights below 'teacher': all are taken, under names that begin"
                + " with these keys"),
        checkpoint.notes());
  }

  @Test
  void readsStackedLayersAndCopies() throws IOException {
    Instance first = MadeDcp.chunk(List.of(0L, 0L), List.of(1L, 4L));
    made.tensor(
        "layers",
        "float32",
        List.of(2L, 4L),
        first,
        first,
        MadeDcp.chunk(List.of(1L, 0L), List.of(1L, 4L)));
    made.place("layers", List.of(0L, 0L), made.store(1L, 4L));
    made.place("layers", List.of(1L, 0L), made.store(4L));
    NamedTensor layers = read().tensors().get(0);
    assertEquals(Shape.of(2, 4), layers.spec().shape());
    List<String> runs = new ArrayList<>();
    layers.layout().runs(2, 6, (s, offset, n) -> runs.add(s.name() + " " + offset + "+" + n));
    assertEquals(List.of("layers chunk [0, 0] data/0 2+2", "layers chunk [1, 0] data/0 0+2"), runs);
  }

  @Test
  void refusesChunksThatDoNotMakeUpTheTensor() throws IOException {
    made.tensor(
        "w",
        "float32",
        List.of(4L),
        MadeDcp.chunk(List.of(0L), List.of(3L)),
        MadeDcp.chunk(List.of(2L), List.of(2L)));
    made.place("w", List.of(0L), made.store(3L));
    made.place("w", List.of(2L), made.store(2L));
    assertEquals(
        "the chunks of tensor w do not make it up: the block at [2] of [2] overlaps the block at"
            + " [0] of [3]",
        problem());
    made.tensor("w", "float32", List.of(4L), MadeDcp.chunk(List.of(0L), List.of(3L)));
    assertEquals(
        "the chunks of tensor w do not make it up: no block covers the tensor at [3]", problem());
    made.tensor("w", "float32", List.of(1L << 62), MadeDcp.chunk(List.of(0L), List.of(3L)));
    assertEquals(
        "the chunks of tensor w do not make it up: tensor w of shape [4611686018427387904]"
            + " overflows",
        problem());
    made.tensor("w", "float32", List.of(4L));
    assertEquals(
        "the chunks of tensor w do not make it up: no block for a tensor of shape [4]", problem());
    made.tensor(
        "w",
        "float32",
        List.of(4L),
        MadeDcp.chunk(List.of(0L), List.of(3L)),
        MadeDcp.chunk(List.of(0L), List.of(2L)));
    assertEquals("two chunks of different shapes start at [0] of tensor w", problem());
    made.tensor(
        "w", "float32", List.of(1L << 40, 1L << 40), MadeDcp.chunk(List.of(0L), List.of(3L)));
    assertEquals("a shape is impossible", problem());
    made.tensor("w", "float32", List.of(4L), MadeDcp.chunk(List.of(Long.MAX_VALUE), List.of(4L)));
    assertEquals("a chunk is stored nowhere", problem());
  }

  @Test
  void refusesTensorsWithoutChunks() throws IOException {
    made.tensor("w", "float32", List.of(4L), MadeDcp.chunk(List.of(0L), List.of(4L)));
    made.place("w", List.of(0L), made.store(4L));
    made.tensors.put(
        "v",
        new Instance(MODULE, "TensorStorageMetadata", dict("size", MadeDcp.size(4L), "parts", 1)));
    made.place("v", List.of(0L), made.store(4L));

    assertEquals(
        "'properties' is missing: this is not the metadata of a distributed checkpoint", problem());
  }

  @Test
  void refusesChunksThatAreNotWhatTheMetadataStates() throws IOException {
    made.tensor("w", "float32", List.of(4L), MadeDcp.chunk(List.of(0L), List.of(4L)));
    made.place("w", List.of(0L), made.store(2L, 2L));
    ReweaveException e = assertThrows(ReweaveException.class, this::read);
    assertEquals(
        "the metadata states float32 of shape [4], and stored is float32 of shape [2, 2]",
        e.problem());
    assertTrue(e.place().endsWith("__0_0.distcp w chunk [0]"), e.place());
    made.tensor("w", "bfloat16", List.of(2L, 2L), MadeDcp.chunk(List.of(0L), List.of(2L, 2L)));
    assertEquals(
        "the metadata states bfloat16 of shape [2, 2], and stored is float32 of shape [2, 2]",
        problem());
    made.tensor("w", "complex128", List.of(2L, 2L), MadeDcp.chunk(List.of(0L), List.of(2L, 2L)));
    e = assertThrows(ReweaveException.class, this::read);
    assertEquals(ReweaveException.Kind.UNSUPPORTED_INPUT, e.kind());
    assertEquals("elements of type torch.complex128, which is not read", e.problem());
    assertTrue(e.remedy().startsWith("make it one where it was saved (dequantize"), e.remedy());
  }

  @Test
  void refusesPlacesOutsideTheFiles() throws IOException {
    made.tensor("w", "float32", List.of(4L), MadeDcp.chunk(List.of(0L), List.of(4L)));
    long length = (Long) made.store(4L).get("length");
    for (long[] wrong :
        new long[][] {
          {1, length}, {-1, 1}, {0, -1}, {Long.MAX_VALUE, length}, {0, Long.MAX_VALUE}
        }) {
      made.places.clear();
      made.place("w", List.of(0L), MadeDcp.info(MadeDcp.FILE, wrong[0], wrong[1]));
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
      made.places.clear();
      made.place("w", List.of(0L), MadeDcp.info(MadeDcp.FILE, part[0], part[1]));
      assertThrows(ReweaveException.class, this::read);
    }
    made.places.clear();
    made.place("w", List.of(0L), MadeDcp.info("../ckpt/" + MadeDcp.FILE, 0, length));
    assertEquals("the file '../ckpt/__0_0.distcp' is missing, which holds w chunk [0]", problem());
  }

  @Test
  void refusesTransformedChunks() throws IOException {
    made.tensor("w", "float32", List.of(4L), MadeDcp.chunk(List.of(0L), List.of(4L)));
    Map<Object, Object> info = made.store(4L);
    info.put("transform_descriptors", List.of("stream.zstd"));
    made.place("w", List.of(0L), info);
    assertEquals("chunks that were compressed or otherwise transformed are not read", problem());
  }

  @Test
  void refusesWhatIsNoMetadata() throws IOException {
    assertEquals(
        "'state_dict_metadata' is missing: this is not the metadata of a distributed checkpoint",
        assertThrows(ReweaveException.class, () -> read(dict("a", 1))).problem());
    assertThrows(ReweaveException.class, () -> read(new byte[0]));
    assertThrows(ReweaveException.class, () -> read(new byte[] {(byte) 0x80, 4, 'x'}));
    made.whole("optimizer.state.w", 2L);
    assertEquals(
        "the checkpoint holds no weights: training state below 'optimizer', 1 tensor, left out: no"
            + " part of the model",
        problem());
  }

  @Test
  void survivesEveryCutOffMetadata() throws IOException {
    made.whole("w", 2L);
    read();
    byte[] pickle = Files.readAllBytes(temp.resolve("ckpt/.metadata"));
    for (int length = 0; length < pickle.length; length += 7) {
      byte[] cut = Arrays.copyOf(pickle, length);
      assertThrows(ReweaveException.class, () -> read(cut));
    }
  }
}
