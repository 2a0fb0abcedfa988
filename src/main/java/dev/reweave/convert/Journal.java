package dev.reweave.convert;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.gather.ReadTally;
import dev.reweave.gather.TensorDigest;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.TensorFacts;
import dev.reweave.plan.FileNames;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.OpenUploads;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.PartReceipt;
import dev.reweave.storage.StagedFile;
import dev.reweave.tensor.Agreement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a conversion keeps in the output's hidden folder, so that a later process can go on where
 * this one was killed: which plan it ran, and a record of each finished file.
 */
final class Journal {
  private static final String PLAN = "plan.json";

  /** The fingerprint of a plan that nothing can go on with. */
  private static final String OF_NO_CONVERSION = "";

  private static final String PUBLISHING = "publishing";

  /** Of an old model, as long as it is taken away. */
  private static final String REMOVING = "removing";

  /** Folder of what an old model had in place of small files. */
  private static final String KEPT = "kept/";

  private static final int CHECKSUM_BYTES = 10;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * The plan that runs.
   *
   * @param fingerprint of input files, options and version
   * @param tokens by path, what finds the staged file again
   * @param small paths of the small files
   */
  record PlanState(String fingerprint, Map<String, String> tokens, List<String> small) {
    boolean publishes(String path) {
      return tokens.containsKey(path) || small.contains(path);
    }
  }

  /**
   * A file whose parts are all written and put together.
   *
   * @param crc32c checksum of the file
   * @param receipts of its parts
   * @param shares what its chunks read of each storage
   * @param tensors by name, what is known of each; none for a copy of a file
   * @param differences by tensor, elements that differ between ranks that should have copies
   * @param proofs by tensor, what comparing it with a second copy came to
   * @param digests by tensor, what it holds; empty where that was not asked for
   */
  record FileState(
      String path,
      int crc32c,
      List<PartReceipt> receipts,
      List<ReadTally.StorageShare> shares,
      Map<String, TensorFacts> tensors,
      Map<String, Long> differences,
      Map<String, Agreement> proofs,
      Map<String, TensorDigest> digests) {
    // Records of other versions of this program may be without.
    FileState {
      if (tensors == null) {
        throw new IllegalArgumentException("nothing is known of the tensors in " + path);
      }
      tensors = Map.copyOf(tensors);
      digests = digests == null ? Map.of() : Map.copyOf(digests);
    }

    /** Whether the store compared all of it with checksums as it came. */
    @JsonIgnore
    boolean isChecked() {
      return receipts.stream().allMatch(r -> r.arrival() == PartReceipt.Arrival.CHECKED);
    }
  }

  private final OutputFolder output;

  Journal(OutputFolder output) {
    this.output = output;
  }

  /** What an earlier process began; empty if there is nothing, or nothing that can be used. */
  Optional<PlanState> begun() {
    return read(PLAN, new TypeReference<>() {});
  }

  void begin(PlanState plan) {
    write(PLAN, plan);
  }

  /** The finished files of a plan, by path. */
  Map<String, FileState> finished(PlanState plan) {
    Map<String, FileState> finished = new HashMap<>();
    ParallelCalls.answers(plan.tokens().keySet(), this::finished).stream()
        .flatMap(Optional::stream)
        .forEach(state -> finished.put(state.path(), state));
    return finished;
  }

  private Optional<FileState> finished(String path) {
    Optional<FileState> state = read(nameOf(path), new TypeReference<>() {});
    return state.filter(s -> s.path().equals(path));
  }

  void finish(FileState file) {
    write(nameOf(file.path()), file);
  }

  /** Says which files of an old model are taken away, before the first of them goes. */
  void removing(Collection<String> old) {
    write(REMOVING, List.copyOf(old));
  }

  /** What an earlier process began to take away of an old model; some of it may be there. */
  List<String> removing() {
    Optional<List<String>> old = read(REMOVING, new TypeReference<>() {});
    return old.orElse(List.of());
  }

  /** Says that the old model is gone, and that files of this plan become visible. */
  void publishing() {
    output.writeState(PUBLISHING, new byte[0]);
  }

  /** Says that files of this plan become visible beside an old model. */
  void replacing(Replacement replacement) {
    write(PUBLISHING, replacement);
  }

  /** How a plan that is being published takes an old model's place; empty if that is gone. */
  Optional<Replacement> replacement() {
    return read(PUBLISHING, new TypeReference<>() {});
  }

  /** Keeps a small visible file, in case that the old model stays. */
  void keep(String path, byte[] content) {
    output.writeState(KEPT + path, content);
  }

  Optional<byte[]> kept(String path) {
    return output.readState(KEPT + path);
  }

  boolean isPublishing() {
    return output.readState(PUBLISHING).isPresent();
  }

  /** Whether readers find the plan's model in place of an old one. */
  boolean isSwitched() {
    return replacement().filter(r -> r.isSwitched(output)).isPresent();
  }

  /**
   * Removes what a publication that did not come to its end made visible; what readers see after a
   * manifest is written stays. Where an old model was there, the one stays that readers find.
   *
   * @return names of the removed files
   */
  List<String> undoPublishing() {
    Optional<Replacement> replacement = replacement();
    if (replacement.isPresent()) {
      return begun().map(p -> replacement.get().settle(output, this, p)).orElse(List.of());
    }
    if (!isPublishing() || output.file(Manifest.FILE_NAME).isPresent()) {
      return List.of();
    }
    Optional<PlanState> plan = begun();
    List<String> names =
        plan.stream().flatMap(p -> output.names().stream().filter(p::publishes)).toList();
    removeAll(output, names);
    // A folder can have been made for a file that did not follow.
    plan.stream()
        .flatMap(p -> Stream.concat(p.tokens().keySet().stream(), p.small().stream()))
        .forEach(output::removeEmptyParents);
    return names;
  }

  /**
   * Throws away all that is staged. Of uploads that the store will not abort the ids are kept, for
   * somebody who may.
   *
   * @throws dev.reweave.common.ReweaveException if there are any, or the store fails
   */
  void clear() {
    List<StagedFile> earlier =
        begun().map(PlanState::tokens).orElse(Map.of()).entrySet().stream()
            .map(file -> output.stagedBefore(file.getKey(), 0, file.getValue()))
            .toList();
    OpenUploads.Kept kept = output.abortUploads(earlier);
    if (kept.failure().isEmpty()) {
      output.finish();
      return;
    }
    Map<String, String> tokens = new HashMap<>();
    kept.files().forEach(f -> tokens.put(output.address().pathTo(f.target()), f.token()));
    begin(new PlanState(OF_NO_CONVERSION, tokens, List.of()));
    output.clearStateBut(PLAN);
    throw kept.failure().get();
  }

  /**
   * Removes visible files: those first that loaders find the others by, so that none names a file
   * that is not there.
   */
  static void removeModel(OutputFolder output, Collection<String> names) {
    names.stream().filter(FileNames::leadsToOthers).sorted().forEach(output::remove);
    removeAll(output, names.stream().filter(n -> !FileNames.leadsToOthers(n)).toList());
  }

  /** Removes visible files, in any order. */
  static void removeAll(OutputFolder output, Collection<String> names) {
    var unused =
        ParallelCalls.allAnswers(
            names,
            name -> {
              output.remove(name);
              return name;
            });
  }

  private static String nameOf(String path) {
    return "finished/" + path + ".json";
  }

  private void write(String name, Object value) {
    try {
      byte[] json = JSON.writeValueAsBytes(value);
      byte[] checksum = checksum(json);
      byte[] record = Arrays.copyOf(json, json.length + checksum.length);
      System.arraycopy(checksum, 0, record, json.length, checksum.length);
      output.writeState(name, record);
    } catch (JacksonException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The end of a record, by which it is seen to be whole. */
  private static byte[] checksum(byte[] json) {
    String crc = Checksum.hex(Checksum.CRC_32C.of(json, 0, json.length));
    return ("\n" + crc + "\n").getBytes(StandardCharsets.US_ASCII);
  }

  private <T> Optional<T> read(String name, TypeReference<T> type) {
    Optional<byte[]> content = output.readState(name);
    if (content.isEmpty()) {
      return Optional.empty();
    }
    byte[] json = Arrays.copyOf(content.get(), Math.max(0, content.get().length - CHECKSUM_BYTES));
    byte[] end = Arrays.copyOfRange(content.get(), json.length, content.get().length);
    if (!Arrays.equals(end, checksum(json))) {
      // The process died while it wrote, or the record was changed since: the work is done again.
      return Optional.empty();
    }
    try {
      return Optional.of(JSON.readValue(json, type));
    } catch (JacksonException e) {
      // Its version knew less: this work is done again.
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
