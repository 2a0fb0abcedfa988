package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.storage.Stores;
import dev.reweave.testing.ChunkedModel;
import dev.reweave.testing.HookedHdfs;
import dev.reweave.testing.OpenHooks;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of which HDFS keeps older states. */
class HdfsSnapshotsTest {
  private static final DistributedFileSystem fs = (DistributedFileSystem) TestHdfs.fileSystem();
  private static final String MASTERS = "rank_1_mp_rank_00_optim_states.pt";

  @TempDir static java.nio.file.Path temp;
  private static ChunkedModel model;
  private static String input;

  @BeforeAll
  static void write() throws IOException {
    model = ChunkedModel.in(temp);
    input = model.copy(fs, "/snapshots/in/ckpt");
  }

  @AfterEach
  void unhook() {
    OpenHooks.clear();
  }

  private static Path kept(String name) throws IOException {
    Path folder = fs.makeQualified(new Path("/snapshots/" + name));
    fs.mkdirs(folder);
    fs.allowSnapshot(folder);
    return folder;
  }

  private static Map<String, String> convert(String from, Path to) throws IOException {
    Stores stores = new Stores(HookedHdfs.configuration(TestSpark.context().hadoopConfiguration()));
    ChunkedModel.converting(from, to).in(stores).run();
    return ChunkedModel.files(fs, to.toString());
  }

  /** The checkpoint itself is gone. */
  @Test
  void aCheckpointOfASnapshot() throws IOException {
    Path folder = kept("of");
    String checkpoint = model.copy(fs, folder.toUri().getPath() + "/ckpt");
    Path snapshot = fs.createSnapshot(folder, "daily");
    assertTrue(fs.delete(new Path(checkpoint), true));

    assertEquals(
        model.expected(),
        convert(
            fs.makeQualified(snapshot) + "/ckpt", fs.makeQualified(new Path("/snapshots/out-1"))));
  }

  /** HDFS joins no file that was being written when a snapshot was taken. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void aSnapshotWhilePartsAreWritten(int opening) throws IOException {
    Path folder = kept("parts-" + opening);
    OpenHooks.whenOpened(MASTERS, opening, file -> fs.createSnapshot(folder, "one"));

    assertEquals(model.expected(), convert(input, new Path(folder, "out")));
    assertEquals(0, OpenHooks.waiting());
  }

  /** While parts are joined, and while the result becomes visible. */
  @Test
  void snapshotsWhileFilesAreMoved() throws IOException {
    Path folder = kept("moved");
    OpenHooks.whenMoved(
        "model-00002-of-00003.safetensors.parts", file -> fs.createSnapshot(folder, "joining"));
    OpenHooks.whenMoved(
        "/model-00002-of-00003.safetensors", file -> fs.createSnapshot(folder, "publishing"));
    OpenHooks.whenMoved("/reweave.json", file -> fs.createSnapshot(folder, "last"));

    assertEquals(model.expected(), convert(input, new Path(folder, "out")));
    assertEquals(0, OpenHooks.waiting());
    assertEquals(3, fs.getSnapshotListing(folder).length);
  }

  @Test
  void anOutputThatIsReplacedStaysInItsSnapshot() throws IOException {
    Path output = kept("replaced");
    Map<String, String> before = convert(input, output);
    Path snapshot = fs.createSnapshot(output, "first");

    ChunkedModel.converting(input, output).type("bfloat16").overwriting().run();

    Map<String, String> after = ChunkedModel.files(fs, output.toString());
    assertTrue(after.values().stream().noneMatch(before::containsValue), after::toString);
    assertEquals(before, ChunkedModel.files(fs, snapshot.toString()));
  }

  @Test
  void anOutputInASnapshot() throws IOException {
    Path folder = kept("read-only");
    Path output = new Path(fs.makeQualified(fs.createSnapshot(folder, "one")), "out");

    ReweaveException e = assertThrows(ReweaveException.class, () -> convert(input, output));

    assertEquals(Kind.USAGE, e.kind(), e::getMessage);
    assertEquals("a snapshot of HDFS can be read, and not written", e.problem());
    assertTrue(e.place().startsWith(output.toString()), e::getMessage);
  }
}
