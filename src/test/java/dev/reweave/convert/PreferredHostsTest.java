package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tasks go where HDFS has the blocks that they read. */
class PreferredHostsTest {
  private static final int BLOCK = 1 << 20;
  private static final String[] MACHINES = {"node1", "node2", "node3"};

  @TempDir java.nio.file.Path temp;

  private static ConversionPlan plan(String input, String output, Configuration conf) {
    Stores stores = new Stores(conf);
    return new Preparation(stores, new ThreadScanner(stores))
        .prepare(
            Converting.between(input, output)
                .planning(PlanOptions.DEFAULTS.withSizes(4_000_000, 256_000))
                .request())
        .plan();
  }

  private static void write(java.nio.file.Path folder) throws IOException {
    List<TensorSpec> parameters =
        IntStream.range(0, 6)
            .mapToObj(i -> new TensorSpec("layer" + i, DType.F32, Shape.of(500, 1000)))
            .toList();
    var unused = SyntheticCheckpoint.write(folder, 2, 3, parameters, 5);
  }

  @Test
  void areThoseOfTheBlocksWithMostBytes() throws IOException {
    java.nio.file.Path local = temp.resolve("in");
    write(local);
    Configuration conf = new Configuration();
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, temp.resolve("hdfs").toString());
    conf.setInt("dfs.blocksize", BLOCK);
    conf.setInt("dfs.replication", 1);
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(conf)
            .numDataNodes(MACHINES.length)
            .racks(new String[] {"/r1", "/r1", "/r1"})
            .hosts(MACHINES)
            .build()) {
      FileSystem fs = cluster.getFileSystem();
      fs.copyFromLocalFile(new Path(local.toUri()), new Path("/in"));
      ConversionPlan plan =
          plan(fs.getUri() + "/in", fs.getUri() + "/out", cluster.getConfiguration(0));
      PreferredHosts preferred = new PreferredHosts(new Stores(cluster.getConfiguration(0)), plan);

      List<Chunk> chunks = plan.chunks(PartRule.FREE);
      Set<String> used = new TreeSet<>();
      for (Chunk chunk : chunks) {
        Map<String, Long> bytes = bytesByHost(plan, chunk, fs);
        long most = bytes.values().stream().mapToLong(b -> b).max().orElseThrow();
        String first = preferred.of(chunk).get(0);
        // Told from samples, so that hosts with about as much may take each other's place.
        assertTrue(
            bytes.get(first) >= most - chunk.length() / 16, chunk + ": " + first + " of " + bytes);
        used.add(first);
      }
      assertTrue(used.size() > 1, "all on " + used);
    }
  }

  /** What each machine has of a chunk, run by run. */
  private static Map<String, Long> bytesByHost(ConversionPlan plan, Chunk chunk, FileSystem fs)
      throws IOException {
    Map<String, Long> bytes = new HashMap<>();
    Map<Integer, BlockLocation[]> blocks = new HashMap<>();
    for (int i = 0; i < plan.sources().size(); i++) {
      Path path = new Path(plan.sources().get(i).uri());
      blocks.put(i, fs.getFileBlockLocations(path, 0, plan.sources().get(i).length()));
    }
    PlannedFile file = plan.files().get(chunk.file());
    for (int s = 0; s < file.segments().size(); s++) {
      if (file.segments().get(s) instanceof Segment.OfTensor ofTensor) {
        long from = Math.max(chunk.from(), file.position(s)) - file.position(s);
        long to = Math.min(chunk.to(), file.position(s) + ofTensor.length()) - file.position(s);
        if (from < to) {
          ofTensor
              .layout()
              .runs(
                  from / Float.BYTES,
                  to / Float.BYTES,
                  (storage, offset, elements) -> {
                    long begin = storage.position() + offset * Float.BYTES;
                    for (BlockLocation block : blocks.get(storage.file())) {
                      long overlap =
                          Math.min(begin + elements * Float.BYTES, end(block))
                              - Math.max(begin, block.getOffset());
                      if (overlap > 0) {
                        bytes.merge(host(block), overlap, Long::sum);
                      }
                    }
                  });
        }
      }
    }
    return bytes;
  }

  private static long end(BlockLocation block) {
    return block.getOffset() + block.getLength();
  }

  private static String host(BlockLocation block) {
    try {
      return block.getHosts()[0];
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void areNoneForLocalFiles() throws IOException {
    java.nio.file.Path local = temp.resolve("in");
    write(local);
    ConversionPlan plan =
        plan(local.toString(), temp.resolve("out").toString(), new Configuration());
    PreferredHosts preferred = new PreferredHosts(new Stores(new Configuration()), plan);

    for (Chunk chunk : plan.chunks(PartRule.FREE)) {
      assertEquals(List.of(), preferred.of(chunk));
    }
  }
}
