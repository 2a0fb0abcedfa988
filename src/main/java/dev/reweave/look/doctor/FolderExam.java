package dev.reweave.look.doctor;

import dev.reweave.checkpoint.huggingface.WeightFiles;
import dev.reweave.checkpoint.huggingface.WeightsCheck;
import dev.reweave.common.Counted;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.BaseFolder;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Examines a folder that libraries load: of one model, or of a pipeline with its components. */
final class FolderExam {
  static final String CONFIG = "config.json";
  private static final String MANIFEST = "reweave.json";

  private static final Pattern LEFT_OUT = Pattern.compile("(.*/)?(\\.git|\\.cache|\\.reweave)/.*");

  /** Weights that come without a config of the model: adapters. */
  private static final Pattern ADAPTER =
      Pattern.compile("(pytorch_lora_weights|adapter_model)(\\..*)?");

  private final Stores stores;
  private final Findings findings;
  private final FileExam exam;
  private final SortedMap<String, Map<String, TensorSpec>> tensors = new TreeMap<>();

  FolderExam(Stores stores, Findings findings, FileExam exam) {
    this.stores = stores;
    this.findings = findings;
    this.exam = exam;
  }

  /** Whether a file of this kind makes a folder one of a model. */
  static boolean isOfModel(InputFile file) {
    return WeightFiles.isWeights(file.name())
        || file.name().equals(CONFIG)
        || file.name().equals(BaseFolder.MODEL_INDEX);
  }

  /**
   * Examines a folder with all below it.
   *
   * @param taken whether a file of weights would be converted: what is wrong with others is a
   *     warning
   * @throws dev.reweave.common.ReweaveException if it cannot be listed
   */
  void examine(Location address, Predicate<InputFile> taken) {
    examine(address.uri(), new TreeMap<>(stores.tree(address)), taken, true);
  }

  /**
   * Examines one file, or an index with its shards.
   *
   * @param files all that is converted
   */
  void examineFiles(Location address, Collection<InputFile> files) {
    SortedMap<String, InputFile> named = new TreeMap<>();
    files.forEach(file -> named.put(file.name(), file));
    examine(address.uri(), named, file -> true, false);
  }

  private void examine(
      String place,
      SortedMap<String, InputFile> files,
      Predicate<InputFile> taken,
      boolean isFolder) {
    files.keySet().removeIf(path -> LEFT_OUT.matcher(path).matches());
    findings.addAll(
        exam.examine(files.values().stream().filter(taken.or(f -> !isWeights(f))).toList()));
    findings.addAll(
        softened(
            exam.examine(
                files.values().stream()
                    .filter(taken.negate().and(FolderExam::isWeights))
                    .toList())));
    SortedMap<String, List<InputFile>> folders = new TreeMap<>();
    files.forEach(
        (path, file) -> folders.computeIfAbsent(folderOf(path), f -> new ArrayList<>()).add(file));
    if (files.containsKey(MANIFEST)) {
      findings.info(
          "converted by Reweave: 'reweave verify' compares all bytes with those that were written",
          place);
    }
    ConfigFiles configs = new ConfigFiles(stores, findings, files);
    Optional<PipelineExam> pipeline =
        configs
            .read(BaseFolder.MODEL_INDEX)
            .map(index -> new PipelineExam(place, index, folders, findings));
    pipeline.ifPresent(PipelineExam::examine);
    VersionExam versions = new VersionExam(findings);
    configs.versioned().forEach(versions::add);
    folders.forEach(
        (folder, content) -> {
          String at = folder.isEmpty() ? place : place + "/" + folder;
          StrayExam.tell(at, content, findings);
          List<WeightFiles> weights = WeightFiles.among(stores, content);
          ConfigExam config = new ConfigExam(configs, folder, findings);
          weights.forEach(w -> examine(folder, at, w, config, w.files().stream().allMatch(taken)));
          boolean named = pipeline.filter(p -> p.names(folder)).isPresent();
          if (isFolder && !named) {
            requireConfig(folder, at, content, weights);
          }
        });
  }

  /** The weights of each folder that are whole; those without a variant, where there are some. */
  SortedMap<String, Map<String, TensorSpec>> tensors() {
    return Collections.unmodifiableSortedMap(tensors);
  }

  private void examine(
      String folder, String place, WeightFiles weights, ConfigExam config, boolean taken) {
    WeightsCheck check = WeightsCheck.of(stores, weights);
    List<ReweaveException> problems = check.problems();
    // A file that cannot be opened or is no more than a pointer has been told of.
    List<Finding> told =
        problems.stream().map(Finding::of).filter(f -> !findings.isBad(f.place())).toList();
    findings.addAll(taken ? told : softened(told));
    findings.addAll(softened(check.warnings().stream().map(Finding::of).toList()));
    if (problems.isEmpty() && !check.tensors().isEmpty()) {
      findings.info(summary(weights, check), place);
      boolean adapter = isAdapter(weights);
      if (!adapter && taken) {
        config.examine(check.tensors(), weights.hasVariant());
      }
      if (!adapter && (!weights.hasVariant() || !tensors.containsKey(folder))) {
        tensors.put(folder, check.tensors());
      }
    }
  }

  private static boolean isWeights(InputFile file) {
    return WeightFiles.isWeights(file.name());
  }

  /** What harms no conversion, since it is not of what is converted. */
  private static List<Finding> softened(List<Finding> findings) {
    return findings.stream()
        .map(f -> f.severity().equals(Severity.PROBLEM) ? f.as(Severity.WARNING) : f)
        .toList();
  }

  private static String summary(WeightFiles weights, WeightsCheck check) {
    SortedSet<String> types = new TreeSet<>();
    check.tensors().values().forEach(t -> types.add(t.dtype().torchName()));
    return String.format(
        Locale.ROOT,
        "%s%s: %s of %s in %s, %,d bytes",
        weights.stem(),
        weights.suffix(),
        Counted.of(check.tensors().size(), "tensor"),
        String.join(", ", types),
        weights.shards().size() == 1
            ? "one file"
            : weights.shards().size() + (weights.isSliced() ? " files of slices" : " shards"),
        check.tensors().values().stream().mapToLong(TensorSpec::bytes).sum());
  }

  private static boolean isAdapter(WeightFiles weights) {
    return ADAPTER.matcher(weights.stem()).matches();
  }

  private void requireConfig(
      String folder, String place, List<InputFile> content, List<WeightFiles> weights) {
    boolean models = weights.stream().anyMatch(w -> !isAdapter(w) && !w.isSliced());
    if (!models || content.stream().anyMatch(f -> f.name().equals(CONFIG))) {
      return;
    }
    if (folder.isEmpty()) {
      findings.info("bare weights: there is no config.json to load them with", place);
    } else {
      findings.warning(
          "weights without a config.json",
          place,
          "copy the config.json of the model that was trained, or convert with --base");
    }
  }

  private static String folderOf(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }
}
