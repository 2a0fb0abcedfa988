package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.ChunkedModel;
import dev.reweave.testing.HookedHdfs;
import dev.reweave.testing.OpenHooks;
import dev.reweave.testing.OwnHdfs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The active name node goes while a conversion is at work, and the other one takes over. */
class NameNodeFailoverTest {
  @TempDir static Path temp;
  private static OwnHdfs hdfs;
  private static FileSystem fs;
  private static ChunkedModel model;
  private static String input;

  @BeforeAll
  static void start() throws Exception {
    hdfs = OwnHdfs.withTwoNameNodes();
    Configuration conf = hdfs.configuration();
    conf.setClass("fs.hdfs.impl", HookedHdfs.class, FileSystem.class);
    fs = FileSystem.newInstance(conf);
    model = ChunkedModel.in(temp);
    input = model.copy(fs, "/in/ckpt");
  }

  @AfterAll
  static void stop() throws IOException {
    fs.close();
    hdfs.close();
  }

  @AfterEach
  void unhook() {
    OpenHooks.clear();
  }

  /** When a folder is read, when chunks are made, when the result is read back. */
  @ParameterizedTest
  @CsvSource({
    "latest, 1",
    "rank_1_mp_rank_00_optim_states.pt, 1",
    "rank_0_mp_rank_00_optim_states.pt, 3",
    "rank_1_mp_rank_00_optim_states.pt, 6",
  })
  void whileFilesAreRead(String end, int opening) throws IOException {
    String output = "hdfs://pair/read-" + UUID.randomUUID();
    OpenHooks.whenOpened(end, opening, file -> hdfs.failOver());

    assertEquals(model.expected(), ChunkedModel.made(fs, input, output));
    assertEquals(0, OpenHooks.waiting());
  }

  /** When parts are joined, and when the result becomes visible. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        ".reweave/files/model-00002-of-00003.safetensors.parts",
        ".reweave/finished/model-00001-of-00003.safetensors.json",
        "/model-00002-of-00003.safetensors",
        "/model.safetensors.index.json",
        "/reweave.json",
      })
  void whileFilesAreMoved(String end) throws IOException {
    String output = "hdfs://pair/moved-" + UUID.randomUUID();
    OpenHooks.whenMoved(end, file -> hdfs.failOver());

    assertEquals(model.expected(), ChunkedModel.made(fs, input, output));
    assertEquals(0, OpenHooks.waiting());
  }

  @Test
  void aNameNodeOnStandby() {
    String standby = hdfs.standby().toString();
    for (ReweaveException e :
        List.of(
            refused(input, standby + "/out"), refused(standby + "/in/ckpt", "hdfs://pair/out"))) {
      assertEquals(
          "this name node is on standby, and another one is active", e.problem(), e::getMessage);
      assertTrue(e.place().startsWith(standby), e::getMessage);
      assertTrue(e.remedy().contains("dfs.nameservices"), e::getMessage);
    }
  }

  private static ReweaveException refused(String from, String to) {
    return assertThrows(ReweaveException.class, () -> ChunkedModel.made(fs, from, to));
  }
}
