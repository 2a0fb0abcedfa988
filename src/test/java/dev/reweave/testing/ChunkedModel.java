package dev.reweave.testing;

import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hadoop.fs.FileSystem;

/**
 * A checkpoint whose shards have several chunks each, as small as HDFS lets chunks be, and what a
 * conversion makes of it without any store.
 *
 * @param checkpoint its folder on this machine
 * @param expected digests of the files of its result by name, without the manifest
 */
public record ChunkedModel(Path checkpoint, Map<String, String> expected) {
  /** Shards of three chunks. */
  public static final PlanOptions PLAN = PlanOptions.DEFAULTS.withSizes(3 << 20, 1 << 20);

  /** Writes and converts it in a folder of this machine. */
  public static ChunkedModel in(Path folder) throws IOException {
    List<TensorSpec> params =
        IntStream.range(0, 5)
            .mapToObj(i -> new TensorSpec("layer." + i + ".w", DType.F32, Shape.of(541, 499 + i)))
            .toList();
    Path checkpoint = folder.resolve("in");
    var unused = SyntheticCheckpoint.write(checkpoint, 3, 2, params, 7);
    Path local = folder.resolve("local");
    converting(checkpoint, local).run();
    Map<String, String> expected = Fixtures.digests(local);
    expected.remove(Manifest.FILE_NAME);
    return new ChunkedModel(checkpoint, expected);
  }

  /** Its conversion as tests want it. */
  public static Converting converting(Object from, Object to) {
    return Converting.between(from, to).planning(PLAN).proving(Proving.NONE);
  }

  /** Copies the checkpoint into a store; gives the address of the copy. */
  public String copy(FileSystem fs, String to) throws IOException {
    return HadoopFiles.copy(checkpoint, fs, to);
  }

  /** Converts a copy of the checkpoint; gives the digests of all that is in the output then. */
  public static Map<String, String> made(FileSystem fs, String from, String to) throws IOException {
    converting(from, to).in(new Stores(fs.getConf())).run();
    return files(fs, to);
  }

  /** Digests of all that is in a folder, hidden files too, but for the manifest. */
  public static Map<String, String> files(FileSystem fs, String folder) throws IOException {
    Map<String, String> files = HadoopFiles.digests(fs, folder);
    files.remove(Manifest.FILE_NAME);
    return files;
  }
}
