package dev.reweave.fuzz;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.deepspeed.DeepSpeedFormat;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Recall;
import dev.reweave.storage.Stores;
import dev.reweave.target.mapping.Mapping;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;

/** Checkpoints of DeepSpeed in which the pickle of one file was changed. */
public final class CheckpointFuzz {
  private static final Stores STORES = new Stores(new Configuration());

  /** A file of a checkpoint. */
  private record Saved(String name, TorchArchive archive) {}

  /** A checkpoint, and its folder as it is listed. */
  private record Step(List<Saved> files, Stores.Listing listing) {}

  private static final List<Step> STEPS = steps();

  /** Every file of every checkpoint, in a row: the documents are their pickles. */
  private static final List<Saved> FILES =
      STEPS.stream().flatMap(step -> step.files().stream()).toList();

  private static final Documents DOCUMENTS =
      new Documents(
          FILES.stream()
              .map(f -> Words.pickle(f.archive().pickle(), f.archive().pickles()))
              .toList(),
          Words.opcodes());

  private static final ReadOptions MASTERS =
      ReadOptions.defaults()
          .withSlicing(
              Mapping.parse(Seeds.bytes("fixtures/tp2_z1_fp16_w2/mapping.json"), "mapping")
                  .slicing());
  private static final ReadOptions MODULE =
      new ReadOptions(Optional.empty(), Optional.of(Weights.MODEL), ReadOptions.Frozen.EXCLUDE)
          .withSlicing(MASTERS.slicing());

  private CheckpointFuzz() {}

  private static List<Step> steps() {
    try {
      List<Step> steps = new ArrayList<>();
      for (String name :
          List.of(
              "z2_bf16_w2/ckpt/global_step3",
              "z3_bf16_w2_frozen/ckpt/global_step3",
              "z1_fp16_w2_frozen/ckpt/global_step3",
              "tp2_z1_fp16_w2/ckpt/global_step3",
              "moe_z1_fp16_w2/ckpt/global_step3",
              "pipe_z1_bf16_pp2/ckpt/global_step2",
              "legacy_z2_fp16_w3/ckpt/global_step3",
              "legacy_z3_bf16_w2_tied/ckpt/global_step3")) {
        steps.add(step(name, Fixtures.folder(name)));
      }
      steps.add(step("experts", MadeCheckpoints.stackedExperts()));
      steps.add(step("tensor", MadeCheckpoints.tensorParallel()));
      return steps;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Step step(String name, Path folder) throws IOException {
    try (Stream<Path> paths = Files.list(folder)) {
      List<Saved> files = new ArrayList<>();
      for (Path path : paths.sorted().toList()) {
        String address = "memory:/" + name + "/" + path.getFileName();
        files.add(new Saved(address, new TorchArchive(path)));
      }
      List<InputFile> listed =
          files.stream()
              .map(f -> new InputFile(Locations.of(f.name()), f.archive().file().length, 0))
              .toList();
      Stores.Listing listing = new Stores.Listing(listed, List.of());
      return new Step(files, listing);
    }
  }

  static List<byte[]> seeds() {
    return DOCUMENTS.seeds().stream().filter(seed -> !Documents.isWhole(seed)).toList();
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    int document = DOCUMENTS.document(input);
    byte[] pickle = DOCUMENTS.edited(document, input, 2);
    ReadOptions options = Documents.way(input, 2) == 0 ? MASTERS : MODULE;
    Promise.check(() -> TreeWalk.of(read(FILES.get(document), pickle, options)));
  }

  /** The pickle of a file, such as {@code experts/mp_rank_00_model_states.pt}. */
  static byte[] pickle(String name) {
    return saved(name).archive().pickle();
  }

  private static Saved saved(String name) {
    return FILES.stream().filter(f -> f.name().endsWith("/" + name)).findFirst().orElseThrow();
  }

  /** Reads the checkpoint of a file, with another pickle in the file. */
  static Checkpoint read(String name, byte[] pickle) {
    return read(saved(name), pickle, MASTERS);
  }

  private static Checkpoint read(Saved changed, byte[] pickle, ReadOptions options) {
    Step step = STEPS.stream().filter(s -> s.files().contains(changed)).findFirst().orElseThrow();
    Map<String, byte[]> files = new HashMap<>();
    step.files().forEach(f -> files.put(f.name(), f.archive().file()));
    files.put(changed.name(), changed.archive().with(pickle));
    Place place =
        new Place(
            STORES,
            new MemoryScanner(files),
            Locations.of("/step"),
            Optional.empty(),
            step.listing());
    return new DeepSpeedFormat().in(place).get(0).read(options);
  }

  /** Reads files in memory, on the calling thread. */
  private record MemoryScanner(Map<String, byte[]> files) implements MetadataScanner {
    @Override
    public <T extends Serializable> List<T> scan(List<Request<T>> requests) {
      Recall recall = new Recall();
      List<T> answers = new ArrayList<>();
      for (Request<T> request : requests) {
        String name = request.file().uri();
        try {
          byte[] bytes = files.get(name);
          answers.add(
              request
                  .probe()
                  .read(new MemoryFile(name, bytes, bytes.length), request.index(), recall));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return answers;
    }
  }
}
