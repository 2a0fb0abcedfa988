package dev.reweave.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.manifest.Manifest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The soak can fail: it finds what is wrong of a result, and what lies beside it. */
class EndingTest {
  @TempDir static Path temp;
  private static Model sharded;

  @BeforeAll
  static void convert() throws IOException {
    sharded = Samples.sharded(temp);
  }

  private static Map<String, byte[]> site(Map<String, byte[]> model) {
    Map<String, byte[]> site = new TreeMap<>();
    model.forEach((path, content) -> site.put("model/" + path, content));
    return site;
  }

  private static Ending.Complaints look(Map<String, byte[]> site, String... uploads) {
    return new Ending(sharded, "model/", Ending.Names.USUAL).look(site, List.of(uploads));
  }

  @Test
  void nothingIsWrongOfTheModelAlone() {
    assertTrue(look(site(sharded.files())).isNone());
  }

  @Test
  void whatIsLeftIsFound() {
    Map<String, byte[]> site = site(sharded.files());
    site.put("model/.reweave/plan.json", new byte[1]);
    site.put("model/.reweave.lock", new byte[0]);
    site.put("model/.empty/", new byte[0]);
    site.put("model/config.json", new byte[2]);
    site.put("other/x", new byte[2]);
    site.put("model/" + Samples.SPARE_SHARD, sharded.files().get(Samples.SHARD));

    Ending.Complaints found = look(site, "model/x.safetensors (17)");

    assertEquals(
        List.of(
            "the upload of model/x.safetensors (17)",
            "model/.empty/",
            "model/.reweave.lock",
            "model/.reweave/plan.json",
            "model/config.json",
            "model/" + Samples.SPARE_SHARD,
            "other/x"),
        found.left());
  }

  @Test
  void filesThatLackOrHaveOtherBits() {
    Map<String, byte[]> model = Samples.copy(sharded);
    model.remove(Samples.INDEX);
    Samples.flip(model, Samples.SHARD);

    List<String> wrong = look(site(model)).wrong();

    assertTrue(wrong.contains(Samples.INDEX + " is not there"), wrong::toString);
    assertTrue(wrong.contains(Samples.SHARD + " has other bits"), wrong::toString);
    assertTrue(wrong.contains("the manifest tells of another " + Samples.SHARD), wrong::toString);
  }

  @Test
  void aManifestOfAnotherModel() throws IOException {
    Map<String, byte[]> model = Samples.copy(sharded);
    model.put(Manifest.FILE_NAME, Samples.single(temp).files().get(Manifest.FILE_NAME));

    List<String> wrong = look(site(model)).wrong();

    assertTrue(wrong.contains("the manifest tells of other tensors"), wrong::toString);
    model.put(Manifest.FILE_NAME, new byte[3]);
    assertTrue(look(site(model)).wrong().get(0).startsWith("no manifest: "));
  }

  /** Beside an old model in an object store, and there alone. */
  @Test
  void shardsOfOtherNames() {
    Map<String, byte[]> site = site(Samples.renamed(sharded));
    assertTrue(look(site).left().contains("model/" + Samples.SPARE_SHARD));

    Ending.Complaints spare =
        new Ending(sharded, "model/", Ending.Names.SPARE).look(site, List.of());

    assertEquals(List.of(), spare.left());
    assertEquals(
        List.of("the manifest tells of another " + Samples.INDEX),
        spare.wrong(),
        "its checksum was not renamed");
    site.put("model/" + Samples.SHARD, sharded.files().get(Samples.SHARD));
    assertEquals(
        List.of("a second model/" + Samples.SHARD),
        new Ending(sharded, "model/", Ending.Names.SPARE).look(site, List.of()).left());
  }

  @Test
  void anInputThatChanges() {
    byte[] one = {1};
    assertEquals(List.of(), Ending.changed(Map.of("a", one), Map.of("a", new byte[] {1})));
    assertEquals(
        List.of(
            "the input's a is not as it was",
            "the input's b is not as it was",
            "the input's c is not as it was"),
        Ending.changed(
            Map.of("a", one, "b", one), Map.of("a", new byte[] {2}, "c", new byte[] {1})));
  }
}
