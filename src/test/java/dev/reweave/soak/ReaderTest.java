package dev.reweave.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.manifest.Manifest;
import dev.reweave.soak.Reader.State;
import dev.reweave.soak.Reader.Wanted;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The soak can fail: it tells a part of a model from a whole one and from none. */
class ReaderTest {
  @TempDir static Path temp;
  private static Model sharded;
  private static Model single;

  @BeforeAll
  static void convert() throws IOException {
    sharded = Samples.sharded(temp);
    single = Samples.single(temp);
  }

  private static void assertSeen(State state, String why, Map<String, byte[]> files, Model... may) {
    assertSeen(state, why, Wanted.MODEL_OR_NOTHING, files, may);
  }

  private static void assertSeen(
      State state, String why, Wanted wanted, Map<String, byte[]> files, Model... may) {
    Reader.Seen seen = new Reader(List.of(may), wanted).look(files);
    assertEquals(state, seen.state(), seen.why());
    assertTrue(seen.why().contains(why), seen.why());
  }

  @Test
  void aWholeModelIsWhole() {
    assertSeen(State.WHOLE, "z2_bf16_w2", sharded.files(), sharded);
    assertSeen(State.WHOLE, "z3_fp16_w3", single.files(), sharded, single);
    assertSeen(State.WHOLE, "z2_bf16_w2", Samples.renamed(sharded), sharded);
  }

  @Test
  void whatNoLoaderTakesIsNothing() {
    Map<String, byte[]> files = Samples.copy(sharded);
    files.remove(Samples.INDEX);
    files.remove(Manifest.FILE_NAME);
    files.put(".reweave/files/" + Samples.INDEX, new byte[1]);
    files.put(".reweave.lock", new byte[0]);
    assertSeen(State.NOTHING, "", files, sharded);
    assertSeen(State.PARTIAL, "no model at all", Wanted.ALWAYS_A_MODEL, files, sharded);
    assertSeen(State.NOTHING, "", Map.of(), sharded);
  }

  @Test
  void anIndexWhoseShardIsMissing() {
    Map<String, byte[]> files = Samples.copy(sharded);
    files.remove(Samples.SHARD);
    assertSeen(State.PARTIAL, "names " + Samples.SHARD + ", which is not there", files, sharded);
  }

  @Test
  void anIndexWhoseShardHasOtherBits() {
    Map<String, byte[]> files = Samples.copy(sharded);
    Samples.flip(files, Samples.SHARD);
    assertSeen(State.PARTIAL, Samples.SHARD + " has other bits", files, sharded);
  }

  /** An index beside shards that have the names of another model's. */
  @Test
  void anIndexThatIsAheadOfItsShards() {
    Map<String, byte[]> files = Samples.copy(sharded);
    files.put(Samples.INDEX, Samples.renamed(sharded).get(Samples.INDEX));
    assertSeen(
        State.PARTIAL, "names model-000001-of-000004.safetensors, which is not", files, sharded);
    files.putAll(Samples.renamed(sharded));
    assertSeen(State.WHOLE, "z2_bf16_w2", files, sharded);
  }

  @Test
  void aSingleFileThatIsTorn() {
    Map<String, byte[]> files = Samples.copy(single);
    files.put(Samples.SINGLE, Arrays.copyOf(files.get(Samples.SINGLE), 200));
    assertSeen(State.PARTIAL, "is not that of the z3_fp16_w3 model", files, sharded, single);
    files.putAll(Samples.copy(single));
    Samples.flip(files, Samples.SINGLE);
    assertSeen(State.PARTIAL, "is not that of the z3_fp16_w3 model", files, single);
  }

  @Test
  void aShardThatIsTornBeforeThereIsAnIndex() {
    Map<String, byte[]> files = new TreeMap<>(Map.of(Samples.SHARD, new byte[20]));
    assertSeen(State.PARTIAL, Samples.SHARD + " is no file of any model", files, sharded);
  }

  @Test
  void theManifestIsLast() {
    Map<String, byte[]> files = new TreeMap<>();
    files.put(Manifest.FILE_NAME, sharded.files().get(Manifest.FILE_NAME));
    assertSeen(State.PARTIAL, "a manifest without a model", files, sharded);
  }

  @Test
  void anIndexThatIsCut() {
    Map<String, byte[]> files = Samples.copy(sharded);
    files.put(Samples.INDEX, "{\"weight_map\": {".getBytes(StandardCharsets.UTF_8));
    assertSeen(State.PARTIAL, "is not that of the z2_bf16_w2 model", files, sharded);
  }

  /** Both loaders find a whole one, whichever of them comes first for each. */
  @Test
  void twoWholeModelsBesideEachOther() {
    Map<String, byte[]> files = Samples.copy(sharded);
    files.put(Samples.SINGLE, single.files().get(Samples.SINGLE));
    assertSeen(State.WHOLE, "z3_fp16_w3, z2_bf16_w2", files, sharded, single);
    Samples.flip(files, Samples.SHARD);
    assertSeen(State.PARTIAL, Samples.SHARD + " has other bits", files, sharded, single);
  }
}
