package dev.reweave.checkpoint;

import dev.reweave.common.Counted;
import dev.reweave.common.PythonVersion;
import dev.reweave.common.Redacted;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What follows from a checkpoint's structure alone. */
public final class CheckpointFacts {
  /**
   * One fact.
   *
   * @param text what is so
   * @param place the file or folder that it is about
   * @param remedy what the user can do where it is a reason for doubt; empty where it is none
   */
  public record Fact(String text, String place, String remedy) {
    /** Whether it is a reason for doubt. */
    public boolean isDoubt() {
      return !remedy.isEmpty();
    }

    /** In one line: what, where, and what to do. */
    public String told() {
      return Redacted.text(text)
          + " ("
          + Redacted.text(place)
          + ")"
          + (isDoubt() ? ": " + Redacted.text(remedy) : "");
    }
  }

  private final Checkpoint checkpoint;
  private final String place;

  private CheckpointFacts(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
    String first = checkpoint.files().get(0).uri();
    this.place =
        checkpoint.source().tag().isEmpty() ? first : first.substring(0, first.lastIndexOf('/'));
  }

  /**
   * What follows without a further read: which version wrote it, what its files do not allow to
   * check, how much space its weights need.
   */
  public static List<Fact> of(Checkpoint checkpoint) {
    return checkpoint.files().isEmpty() ? List.of() : new CheckpointFacts(checkpoint).find();
  }

  private List<Fact> find() {
    Checkpoint.Source source = checkpoint.source();
    List<Fact> facts = new ArrayList<>();
    if (source.stage() >= 0) {
      facts.add(plain(description(source), place));
      version(source.version(), place).ifPresent(facts::add);
      weights(source, facts);
    }
    facts.add(plain(sizes(), place));
    noteUnchecked(facts);
    return facts;
  }

  private static Fact plain(String text, String where) {
    return new Fact(text, where, "");
  }

  /** Of a version that is too new the checkpoint itself has a caution. */
  static Optional<Fact> version(String version, String place) {
    if (version.isEmpty()) {
      return Optional.of(
          plain("the files do not say which version of DeepSpeed wrote them", place));
    }
    if (!PythonVersion.isVersion(version)) {
      return Optional.of(plain("not a version of DeepSpeed that is known: " + version, place));
    }
    return PythonVersion.compare(version, TestedVersions.OLDEST_DEEPSPEED) < 0
        ? Optional.of(
            new Fact(
                "DeepSpeed "
                    + version
                    + " is older than any that was tried ("
                    + TestedVersions.OLDEST_DEEPSPEED
                    + " to "
                    + TestedVersions.DEEPSPEED
                    + ")",
                place,
                "compare some tensors of the result with those of zero_to_fp32.py"))
        : Optional.empty();
  }

  private String description(Checkpoint.Source source) {
    return (source.framework() + " " + source.version()).strip()
        + ", ZeRO stage "
        + source.stage()
        + ", "
        + Counted.of(source.worldSize(), "rank")
        + (source.precision().isEmpty() ? "" : ", trained in " + source.precision())
        + ", "
        + Counted.of(checkpoint.files().size(), "file")
        + " needed";
  }

  private void weights(Checkpoint.Source source, List<Fact> facts) {
    if (source.weights().equals(Weights.MASTER)) {
      String other =
          source.stage() == 3 ? "" : "; the module's own are there too, for --weights model";
      facts.add(plain("fp32 master weights are there for all ranks" + other, place));
    } else if (source.stage() == 0) {
      facts.add(plain("the module's own weights are there", place));
    } else {
      facts.add(
          new Fact(
              "the module's own weights are taken, and no fp32 masters",
              place,
              "for masters, have the *_optim_states.pt of all ranks there and leave --weights"
                  + " out"));
    }
  }

  private String sizes() {
    long parameters = 0;
    long castable = 0;
    long others = 0;
    for (NamedTensor tensor : checkpoint.tensors()) {
      TensorSpec spec = tensor.spec();
      parameters += spec.elements();
      if (spec.dtype().isRetyped()) {
        castable += spec.elements();
      } else {
        others += spec.bytes();
      }
    }
    return String.format(
        Locale.ROOT,
        "%s of %s: the result needs %,d bytes as float32, %,d as bfloat16",
        Counted.of(checkpoint.tensors().size(), "tensor"),
        Counted.grouped(parameters, "parameter"),
        castable * DType.F32.bytes() + others,
        castable * DType.BF16.bytes() + others);
  }

  /** The first elements of each tensor tell: a file is of one format. */
  private void noteUnchecked(List<Fact> facts) {
    Set<Integer> leftOut = new TreeSet<>();
    Set<Integer> none = new TreeSet<>();
    for (NamedTensor tensor : checkpoint.tensors()) {
      tensor
          .layout()
          .runs(
              0,
              Math.min(1, tensor.spec().elements()),
              (storage, o, n) -> {
                if (!storage.hasCrc() && storage.bytes() > 0) {
                  (storage.crc32() == StorageRef.CRC_LEFT_OUT ? leftOut : none).add(storage.file());
                }
              });
    }
    note(
        leftOut,
        "there are no checksums, since torch.serialization.set_crc32_options(False) leaves them"
            + " out",
        facts);
    if (none.stream().anyMatch(f -> nameOf(f).endsWith(".safetensors"))) {
      facts.add(plain("safetensors keep no checksums: changed bytes would go unseen", place));
      none.removeIf(f -> nameOf(f).endsWith(".safetensors"));
    }
    Set<Integer> offloaded = new TreeSet<>(none);
    offloaded.removeIf(f -> !nameOf(f).endsWith(".swp"));
    none.removeAll(offloaded);
    note(offloaded, "the files of masters on NVMe keep no checksums", facts);
    note(none, "files of torch.save's legacy format keep no checksums", facts);
  }

  private void note(Set<Integer> files, String why, List<Fact> facts) {
    if (files.isEmpty()) {
      return;
    }
    String name = nameOf(files.iterator().next());
    facts.add(
        new Fact(
            why
                + ": changed bytes in "
                + (files.size() == 1 ? name : name + " and others")
                + " would go unseen",
            place,
            "compare the files with those of the training run, say with sha256sum"));
  }

  private String nameOf(int file) {
    return checkpoint.files().get(file).name();
  }
}
