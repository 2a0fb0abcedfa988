package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names that a store cannot have are refused while nothing is written. */
class OutputRoomTest {
  @TempDir Path temp;

  private static PlanOptions named(int length) {
    return PlanOptions.DEFAULTS.with(
        PlanOptions.WEIGHTS_NAME, Optional.of("n".repeat(length - ".safetensors".length())));
  }

  private Converting conversion(Object output, int nameBytes) {
    return Converting.between(Fixtures.folder("z2_bf16_w2/ckpt").toUri(), output)
        .planning(named(nameBytes));
  }

  private static void requireTooLong(String what, int bytes, int most, Converting conversion) {
    ReweaveException e = assertThrows(ReweaveException.class, conversion::run);
    assertEquals(Kind.USAGE, e.kind(), e::getMessage);
    assertEquals(
        "the "
            + what
            + " of a file is too long: "
            + bytes
            + " bytes, and "
            + most
            + " can be written here",
        e.problem());
    assertTrue(e.remedy().startsWith("name the weights with a shorter --weights-name"));
  }

  /** Beside the name there must be room for that of what tells that the file is finished. */
  @Test
  void onThisMachine() throws IOException {
    Path output = temp.resolve("out");

    requireTooLong("name", 250, 249, conversion(output, 250));
    requireTooLong("name", 312, 249, conversion(output, 312));
    assertTrue(Files.notExists(output));

    conversion(output, 249).run();
    assertTrue(Files.exists(output.resolve("n".repeat(237) + ".safetensors")));
  }

  @Test
  void inHdfs() throws IOException {
    Configuration conf = TestHdfs.configuration();
    String output = TestHdfs.fileSystem().getUri() + "/names/" + UUID.randomUUID();

    requireTooLong("name", 250, 249, conversion(output, 250).in(new Stores(conf)));
    assertEquals(false, new Stores(conf).isFolder(Locations.of(output)));
    conversion(output, 249).in(new Stores(conf)).run();

    conf.setBoolean("fs.hdfs.impl.disable.cache", true);
    conf.setInt("dfs.namenode.fs-limits.max-component-length", 100);
    requireTooLong("name", 95, 94, conversion(output + "-2", 95).in(new Stores(conf)));
  }

  @Test
  void inAnObjectStoreTheWholeKeyCounts() throws IOException {
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    S3Server.shared().configure(conf);
    String output = "s3a://" + S3Server.shared().newBucket() + "/" + "f/".repeat(300) + "out";

    requireTooLong("path", 1004, 1000, conversion(output, 400).in(new Stores(conf)));
    conversion(output, 396).in(new Stores(conf)).run();
  }
}
