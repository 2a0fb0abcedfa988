package dev.reweave.look.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFacts;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.FaultyFileSystem;
import dev.reweave.testing.FaultyFileSystem.Call;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that real DeepSpeed wrote: good ones, and such as were harmed. */
class CheckpointDoctorTest {
  private static final String RANK_0 = "bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt";
  private static final String RANK_1 = "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt";

  @TempDir Path temp;

  private static Path fixture(String name) {
    return Fixtures.folder(name).resolve("ckpt");
  }

  private Path copyOf(String name) throws IOException {
    return Fixtures.copy(fixture(name), temp.resolve("in"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "z0_bf16_w2",
        "z0_fp16_w1",
        "z1_bf16opt_w2",
        "z1_fp16_w2_frozen",
        "z2_bf16_w2",
        "z2_bf16_w2_lora",
        "z2_bf16_w2_tags",
        "z2_bf16_w2_tied",
        "z2_fp16_w3_groups",
        "z2_fp32_w2_bn",
        "z3_bf16_w2",
        "z3_bf16_w2_frozen",
        "z3_bf16_w2_llama_tied",
        "z3_bf16_w2_nolatest",
        "z3_fp16_w3_proto4",
        "z3_hpz_bf16_w4",
        "z3_mics_bf16_w4",
        "cog_z2_bf16_w2",
        "cog_z3_bf16_w2",
        "sat_z2_bf16_w2"
      })
  void goodOnes(String name) {
    Complaints.of(fixture(name).toString(), Optional.empty(), Depth.CHECKSUMS).none();
  }

  @Test
  void factsOfAGoodOne() {
    Complaints.of(fixture("sat_z2_bf16_w2"))
        .none()
        .says(
            Severity.INFO,
            "DeepSpeed 0.19.6, ZeRO stage 2, 2 ranks, trained in bf16, 3 files needed",
            "/global_step2)")
        .says(
            Severity.INFO,
            "55 tensors of 14,798 parameters: the result needs 59,192 bytes as float32, 29,596 as"
                + " bfloat16")
        .says(Severity.INFO, "fp32 master weights are there for all ranks")
        .says(Severity.INFO, "names recognised: mapping cogvideox-sat-transformer")
        .says(Severity.INFO, "the weights' bytes were not read", "doctor --checksums");
  }

  @Test
  void legacyFilesCannotBeChecked() {
    Complaints complaints = Complaints.of(fixture("legacy_z3_bf16_w2_tied"));

    assertEquals(List.of(), complaints.of(Severity.PROBLEM));
    assertEquals(1, complaints.of(Severity.WARNING).size());
    complaints.says(
        Severity.WARNING, "files of torch.save's legacy format keep no checksums", "sha256sum");
  }

  /** A zip has a place for them: {@code torch.serialization.set_crc32_options(False)}. */
  @Test
  void zipsWithoutChecksumsAreNoLegacyFiles() {
    Complaints complaints = Complaints.of(Fixtures.resource("torch/no_crc.pt"));

    assertEquals(List.of(), complaints.of(Severity.PROBLEM));
    assertEquals(1, complaints.of(Severity.WARNING).size());
    complaints.says(
        Severity.WARNING,
        "there are no checksums, since torch.serialization.set_crc32_options(False) leaves them out:"
            + " changed bytes in no_crc.pt would go unseen",
        "sha256sum");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "z2_empty_file | the file is empty | rank_0_mp_rank_00_optim_states.pt | copy it again",
        "z2_extra_rank | only 2 ranks | zero_pp_rank_7_ | two runs are mixed",
        "z2_flipped_pickle | do not match their CRC-32 | data.pkl | copy it again",
        "z2_latest_missing_tag | names tag 'global_step999' | global_step999 | [global_step3]",
        "z2_malicious_pickle | calls posix.system | mp_rank_00_model_states.pt | torch.load",
        "z2_missing_rank | rank 1 is missing, of 2 data-parallel ranks | zero_pp_rank_1_ | was not saved whole",
        "z2_truncated_optim | truncated | rank_1_mp_rank_00_optim_states.pt | copy it again",
        "z3_bigger_shape | ranks disagree | rank_1_mp_rank_00_model_states.pt | two runs are mixed",
        "z3_lfs_pointer | git-lfs pointer | model_states.pt | git lfs pull",
        "z3_malicious_optim | calls posix.system | rank_1_mp_rank_00_optim | torch.load",
        "z3_missing_model | rank 1 is missing, of 2 data-parallel ranks | rank_1_mp_rank_00_model | saved whole",
        "z3_missing_rank | rank 1 is missing, of 2 data-parallel ranks | rank_1_mp_rank_00_optim | saved whole",
        "z3_short_group | sizes do not add up | zero_pp_rank_0_mp_rank_00_optim | two runs",
        "z3_truncated_tail | truncated | rank_0_mp_rank_00_optim_states.pt | copy it again",
      })
  void harmedOnes(String name, String problem, String place, String remedy) {
    Complaints.of(fixture("corrupt/" + name)).oneProblem(problem, place, remedy);
  }

  /** The step count of Adam is no part of the weights, and convert does not read it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "z2_huge_storage | pickle states 1099511627776 elements",
        "z2_short_storage | the storage has 0 bytes",
      })
  void whatNoConversionNeedsIsAWarning(String name, String problem) {
    Complaints complaints = Complaints.of(fixture("corrupt/" + name));

    assertEquals(List.of(), complaints.of(Severity.PROBLEM));
    complaints.says(Severity.WARNING, problem, "/data/0", "copy it again");
  }

  @ParameterizedTest
  @ValueSource(strings = {"z2_flipped_byte", "z3_flipped_byte"})
  void changedBytesAreSeenOnRequest(String name) {
    String input = fixture("corrupt/" + name).toString();

    Complaints.of(input, Optional.empty(), Depth.STRUCTURE)
        .none()
        .says(Severity.INFO, "bytes were not read");
    Complaints.of(input, Optional.empty(), Depth.CHECKSUMS)
        .oneProblem(
            "they do not match their checksum", RANK_0 + " storage data/3", "copy the file");
  }

  @Test
  void severalThingsAtOnce() throws IOException {
    Path step = copyOf("z3_hpz_bf16_w4").resolve("global_step3");
    Path first = step.resolve(RANK_0);
    Files.write(first, Arrays.copyOf(Files.readAllBytes(first), 700));
    Files.write(step.resolve(RANK_1), new byte[0]);
    Files.writeString(step.resolve("notes.pt"), "no torch file");

    Complaints complaints = Complaints.of(step.getParent());

    assertEquals(2, complaints.of(Severity.PROBLEM).size());
    complaints
        .says(Severity.PROBLEM, "truncated", RANK_0)
        .says(Severity.PROBLEM, "the file is empty", RANK_1)
        .says(Severity.WARNING, "not a torch.save file", "notes.pt");
    assertEquals(Severity.PROBLEM, complaints.findings().get(0).severity());
  }

  @Test
  void aFolderInPlaceOfAFile() throws IOException {
    Path rank = copyOf("z2_bf16_w2").resolve("global_step3").resolve(RANK_1);
    Files.delete(rank);
    Files.createDirectory(rank);

    Complaints.of(temp.resolve("in"))
        .oneProblem("rank 1 is missing, of 2 data-parallel ranks", RANK_1);
  }

  @Test
  void aFileThatCannotBeOpened() {
    Configuration conf = new Configuration();
    FaultyFileSystem.configure(conf);
    FaultyFileSystem.heal();
    // The first file that is opened tells of the tag; the next ones are all files.
    FaultyFileSystem.fail(Call.OPEN, 3);
    Stores stores = new Stores(conf);
    try {
      List<Finding> findings =
          new Doctor(stores, new ThreadScanner(stores))
              .examine(
                  Locations.of("faulty:" + fixture("z2_bf16_w2")),
                  Optional.empty(),
                  ReadOptions.defaults(),
                  Depth.STRUCTURE);

      new Complaints(findings)
          .oneProblem("cannot read (injected failure of OPEN)", "faulty:/", "check the store")
          .says(Severity.INFO, "12 tensors of 234 parameters");
    } finally {
      FaultyFileSystem.heal();
    }
  }

  @Test
  void mastersThatAreNotThere() throws IOException {
    Path step = copyOf("z2_bf16_w2").resolve("global_step3");
    Files.delete(step.resolve(RANK_0));
    Files.delete(step.resolve(RANK_1));

    Complaints complaints = Complaints.of(step);

    assertEquals(List.of(), complaints.of(Severity.PROBLEM));
    complaints.says(Severity.WARNING, "no fp32 masters", "*_optim_states.pt");
  }

  @Test
  void nothingThere() {
    Complaints.of(temp.resolve("none")).oneProblem("no such file or folder", "check the address");
    Complaints.of(temp).oneProblem("no checkpoint here", "save_checkpoint");
  }

  @Test
  void aTensorThatTheBaseLacks() {
    Complaints.of(
            fixture("z2_bf16_w2").toString(),
            Optional.of(Fixtures.folder("base_pipeline_sharded_transformer").toString()),
            Depth.STRUCTURE)
        .oneProblem("tensors do not fit the base", "layers.0.weight");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cog_z2_bf16_w2", "cog_z3_bf16_w2"})
  void aFittingBase(String name) {
    Complaints.of(
            fixture(name).toString(),
            Optional.of(Fixtures.folder("base_pipeline_sharded_transformer").toString()),
            Depth.STRUCTURE)
        .none()
        .says(Severity.INFO, "all tensors have the names and shapes of the base");
  }

  @Test
  void noMoreStructureOfABaseThanIsAllowedIsRead() {
    Path base = Fixtures.folder("base_pipeline_sharded_transformer");
    Safeguards bounded = new Safeguards(Safeguards.Links.INSIDE, new MetadataLimit(1000));

    Complaints complaints =
        new Complaints(
            new Doctor(Complaints.STORES, new ThreadScanner(Complaints.STORES))
                .examine(
                    Locations.of(base.resolve("none")),
                    Optional.of(Locations.of(base)),
                    ReadOptions.defaults().withSafeguards(bounded),
                    Depth.STRUCTURE));

    complaints.says(
        Severity.PROBLEM,
        "--max-metadata-bytes allows 1000",
        base + "/diffusion_pytorch_model-00001-of-00002.safetensors");
  }

  @Test
  void linksOutOfABaseAreNotFollowed() throws IOException {
    Path base = Files.createDirectory(temp.resolve("base"));
    for (String name : List.of("config.json", "diffusion_pytorch_model.safetensors")) {
      Files.createSymbolicLink(
          base.resolve(name), Fixtures.folder("base_pipeline").resolve("transformer/" + name));
    }

    Complaints.of(
            fixture("cog_z2_bf16_w2").toString(), Optional.of(base.toString()), Depth.STRUCTURE)
        .says(
            Severity.PROBLEM, "a symbolic link leads out of the folder that is read, to ", "base/");
  }

  @Test
  void namesAreMappedBeforeTheyAreCompared() {
    Complaints.of(
            fixture("sat_z2_bf16_w2").toString(),
            Optional.of(Fixtures.folder("base_pipeline_sharded_transformer").toString()),
            Depth.STRUCTURE)
        .oneProblem(
            "3 have other shapes (patch_embed.proj.weight [16, 16, 2, 2] for [16, 4, 2, 2]",
            "name a base of the same kind");
  }

  @Test
  void aVersionThatIsTooOld() {
    Checkpoint read =
        new CheckpointReader(Complaints.STORES, new ThreadScanner(Complaints.STORES))
            .read(Locations.of(fixture("z2_bf16_w2")), ReadOptions.defaults());
    Checkpoint.Source source =
        new Checkpoint.Source(
            "DeepSpeed", "0.4.3", 2, 2, "bf16", "global_step3", List.of(), Weights.MASTER);

    List<Finding> findings =
        CheckpointFacts.of(
                new Checkpoint(source, read.files(), read.tensors(), read.aliases(), List.of()))
            .stream()
            .map(Finding::of)
            .toList();

    new Complaints(findings)
        .says(
            Severity.WARNING,
            "DeepSpeed 0.4.3 is older than any that was tried (0.4.4 to 0.19.8)",
            "zero_to_fp32.py");
    assertTrue(CheckpointFacts.of(read).stream().noneMatch(CheckpointFacts.Fact::isDoubt));
  }
}
