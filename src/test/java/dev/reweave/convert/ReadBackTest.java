package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.HookedFileSystem;
import dev.reweave.testing.HookedHdfs;
import dev.reweave.testing.OpenHooks;
import dev.reweave.testing.StoredFiles;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store that does not keep what was written to it is noticed before anything is published. */
class ReadBackTest {
  private static final String SECOND = "model-00002-of-00003.safetensors";
  private static final String STAGED = ".reweave/files/" + SECOND;
  private static final Checks VERIFY =
      new Checks(Checks.ReadBack.ALWAYS, FileDigest.Wanted.CRC32C, Checks.Nonfinite.WARN);
  private static final Checks DIGESTS =
      new Checks(Checks.ReadBack.NEVER, FileDigest.Wanted.SHA256, Checks.Nonfinite.WARN);

  @TempDir Path temp;
  private Configuration conf;

  @BeforeEach
  void configure() {
    OpenHooks.clear();
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    HookedFileSystem.configure(conf);
  }

  private Manifest convert(String output, Checks checks) {
    return Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output)
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .checking(checks)
        .in(new Stores(conf))
        .run()
        .manifest();
  }

  private Path output() {
    return temp.resolve("out");
  }

  private String hooked(Path folder) {
    return "hooked:" + folder;
  }

  private String failure(String output, Checks checks) {
    ReweaveException failure = assertThrows(ReweaveException.class, () -> convert(output, checks));
    return failure.getMessage();
  }

  private static void assertTold(String message, String output) {
    assertTrue(
        message.startsWith("the store does not hold what was written: " + SECOND + " has CRC32C "),
        message);
    assertTrue(message.matches("(?s).* has CRC32C [0-9a-f]{8}, and [0-9a-f]{8} was written.*"));
    assertTrue(message.contains(output), message);
    assertTrue(
        message.contains("check the disk or the store, then run the same command again"), message);
  }

  private void damageWhenRead() {
    OpenHooks.whenOpened(
        STAGED, file -> StoredFiles.flipBit(FileSystem.getLocal(conf).getRaw(), local(file)));
  }

  private static org.apache.hadoop.fs.Path local(org.apache.hadoop.fs.Path file) {
    return new org.apache.hadoop.fs.Path(file.toUri().getPath());
  }

  @Test
  void aDamagedStagedFile() throws IOException {
    damageWhenRead();

    assertTold(failure(hooked(output()), VERIFY), output().toString());

    assertEquals(0, OpenHooks.waiting());
    assertTrue(Files.notExists(output()), "something was left");
    assertEquals(3, convert(hooked(output()), VERIFY).figures().filesReadBack());
  }

  @Test
  void aDamagedFileOfHdfs() throws IOException {
    conf = HookedHdfs.configuration(conf);
    FileSystem fs = TestHdfs.fileSystem();
    String output = fs.getUri() + "/read-back/damaged";
    OpenHooks.whenOpened(STAGED, file -> StoredFiles.flipBit(fs, file));

    assertTold(failure(output, VERIFY), output);

    assertEquals(0, OpenHooks.waiting());
    assertEquals(Map.of(), HadoopFiles.digests(fs, "/read-back/damaged"));
    assertEquals(3, convert(output, VERIFY).figures().filesReadBack());
  }

  @Test
  void aResultThatWasThereStays() throws IOException {
    convert(hooked(output()), Checks.DEFAULTS);
    Map<String, String> before = Fixtures.digests(output());
    damageWhenRead();

    assertThrows(
        ReweaveException.class,
        () ->
            Converting.between(Fixtures.folder("z1_bf16_w2/ckpt"), hooked(output()))
                .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
                .checking(VERIFY)
                .overwriting()
                .in(new Stores(conf))
                .run());

    assertEquals(0, OpenHooks.waiting());
    assertEquals(before, Fixtures.digests(output()));
  }

  /** What is left of a run that was killed when all files were finished. */
  private Path killed() throws IOException {
    Path snapshot = temp.resolve("killed");
    OpenHooks.whenOpened(STAGED, file -> Fixtures.copy(output(), snapshot));
    convert(hooked(output()), VERIFY);
    Files.delete(snapshot.resolve(".reweave.lock"));
    return snapshot;
  }

  @Test
  void filesOfAKilledRunAreReadToo() throws IOException {
    Path killed = killed();

    Manifest manifest = convert(hooked(killed), VERIFY);

    assertEquals(3, manifest.figures().resumedFiles());
    assertEquals(3, manifest.figures().filesReadBack());
    Map<String, String> made = Fixtures.digests(killed);
    Map<String, String> expected = Fixtures.digests(output());
    assertTrue(made.remove(Manifest.FILE_NAME) != null && expected.remove("reweave.json") != null);
    assertEquals(expected, made);
  }

  @Test
  void aFileOfAKilledRunThatWasDamagedSince() throws IOException {
    Path killed = killed();
    StoredFiles.flipBit(
        FileSystem.getLocal(conf).getRaw(), new org.apache.hadoop.fs.Path(killed + "/" + STAGED));

    assertTold(failure(hooked(killed), VERIFY), killed.toString());

    assertEquals(Map.of(), Fixtures.digests(killed));
  }

  @Test
  void aFileOfAKilledRunThatIsGoneOrCutIsMadeAgain() throws IOException {
    Path killed = killed();
    Path cut = Fixtures.copy(killed, temp.resolve("cut"));
    Files.delete(killed.resolve(STAGED));
    Files.write(cut.resolve(STAGED), new byte[100]);
    Map<String, String> expected = Fixtures.digests(output());
    expected.remove(Manifest.FILE_NAME);

    for (Path folder : List.of(killed, cut)) {
      Manifest manifest = convert(hooked(folder), Checks.DEFAULTS);

      Map<String, String> made = Fixtures.digests(folder);
      made.remove(Manifest.FILE_NAME);
      assertEquals(expected, made);
      assertEquals(2, manifest.figures().resumedFiles());
    }
  }

  @Test
  void nothingIsReadOnADiskUnlessAskedFor() {
    OpenHooks.whenOpened(STAGED, file -> Files.delete(Path.of(file.toUri().getPath())));

    Manifest manifest = convert(hooked(output()), Checks.DEFAULTS);

    assertEquals(1, OpenHooks.waiting());
    assertEquals(0, manifest.figures().filesReadBack());
    assertTrue(
        Summary.result(manifest, "out").stream().noneMatch(line -> line.contains("read back")));
  }

  @Test
  void whatWasReadIsTold() {
    Manifest manifest = convert(output().toString(), VERIFY);

    assertTrue(
        Summary.result(manifest, "out")
            .contains("       3 files of the result read back: as written"),
        () -> Summary.result(manifest, "out").toString());
  }

  @Test
  void digestsOfAllFiles() throws IOException {
    Manifest manifest = convert(output().toString(), DIGESTS);

    Map<String, String> files = Fixtures.digests(output(), Fixtures::sha256);
    files.remove(Manifest.FILE_NAME);
    manifest.result().shards().forEach(s -> assertEquals(files.remove(s.name()), s.sha256()));
    manifest.result().files().forEach(s -> assertEquals(files.remove(s.name()), s.sha256()));
    assertEquals(Map.of(), files);
    assertEquals(3, manifest.figures().filesReadBack());
  }

  @Test
  void aResultWithoutDigestsIsNotUpToDateForWhoWantsThem() throws IOException {
    convert(output().toString(), VERIFY);
    String before = Files.readString(output().resolve(Manifest.FILE_NAME));
    assertTrue(!before.contains("sha256"), before);

    Manifest made = convert(output().toString(), DIGESTS);

    assertEquals(64, made.result().shards().get(0).sha256().length());
    Map<String, String> files = Fixtures.digests(output());
    convert(output().toString(), DIGESTS);
    convert(output().toString(), VERIFY);
    assertEquals(files, Fixtures.digests(output()));
  }

  @Test
  void aFileThatIsDamagedWhileItsDigestIsMade() {
    damageWhenRead();

    assertTold(failure(hooked(output()), DIGESTS), output().toString());

    assertTrue(Files.notExists(output()), "something was left");
  }
}
