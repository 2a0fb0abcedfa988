package dev.reweave.look.doctor;

import dev.reweave.plan.prepare.Strays;
import dev.reweave.storage.InputFile;
import dev.reweave.target.base.WeightlessModel;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Looks for files that libraries load in place of the weights beside them; see {@link Strays}. */
final class StrayExam {
  private static final Pattern INDEX =
      Pattern.compile(
          "(?<stem>.+?)\\.(?<suffix>safetensors|bin)\\.index(?<variant>\\.[^.]+)?\\.json");

  private StrayExam() {}

  /**
   * The single files that stand beside an index of the same weights.
   *
   * @param content of one folder
   */
  private static List<InputFile> singles(List<InputFile> content) {
    Set<String> names =
        content.stream()
            .map(f -> INDEX.matcher(f.name()))
            .filter(Matcher::matches)
            .map(StrayExam::singleOf)
            .collect(Collectors.toSet());
    return content.stream().filter(f -> names.contains(f.name())).toList();
  }

  private static String singleOf(Matcher index) {
    String variant = index.group("variant") == null ? "" : index.group("variant");
    return index.group("stem") + variant + "." + index.group("suffix");
  }

  /** Tells of what is loaded by surprise. */
  static void tell(String place, List<InputFile> content, Findings findings) {
    for (InputFile single : singles(content)) {
      findings.add(
          new Finding(
              // Where both can be read, which is meant is asked, and that is a problem.
              Severity.WARNING,
              "two models, of which transformers takes "
                  + single.name()
                  + " and diffusers the shards that the index names",
              place + "/" + single.name(),
              "move away the one that is not meant: "
                  + single.name()
                  + ", or the index with its shards"));
    }
    boolean config = content.stream().anyMatch(f -> f.name().equals(FolderExam.CONFIG));
    boolean adapter =
        content.stream().anyMatch(f -> f.name().equals(WeightlessModel.ADAPTER_CONFIG));
    boolean weights =
        content.stream().anyMatch(f -> f.name().matches("(pytorch_)?model[.-].*(safetensors|bin)"));
    if (config && adapter && weights) {
      findings.warning(
          "an adapter beside a whole model: transformers puts it on top",
          place + "/" + WeightlessModel.ADAPTER_CONFIG,
          "move the files of the adapter away if it is part of the weights, or of another model");
    }
  }
}
