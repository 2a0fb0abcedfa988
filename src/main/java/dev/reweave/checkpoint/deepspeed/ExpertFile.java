package dev.reweave.checkpoint.deepspeed;

import dev.reweave.storage.InputFile;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The module states of one expert, as {@code DeepSpeedEngine._get_expert_ckpt_name} names them:
 * {@code layer_0_expert_3_mp_rank_00_model_states.pt}. Versions before 0.6 left out the layer: one
 * file holds the experts of all layers that have this number.
 *
 * @param layer counts the layers that have experts, from 0; -1 where the name has none
 * @param expert its number in the whole layer, from 0
 * @param modelRank rank among the tensor- and pipeline-parallel processes
 */
record ExpertFile(InputFile file, int layer, int expert, int modelRank) {
  static final Pattern NAME =
      Pattern.compile(
          "(?:layer_(\\d{1,9})_)?expert_(\\d{1,9})_mp_rank_(\\d{1,9})_model_states\\.pt");

  /** The files of experts among files of ranks, by layer and expert. */
  static List<ExpertFile> among(List<RankFile> files) {
    return files.stream()
        .filter(f -> f.kind() == RankFile.Kind.EXPERT)
        .map(f -> of(f.file()))
        .sorted(Comparator.comparingInt(ExpertFile::layer).thenComparingInt(ExpertFile::expert))
        .toList();
  }

  private static ExpertFile of(InputFile file) {
    Matcher m = NAME.matcher(file.name());
    if (!m.matches()) {
      throw new IllegalArgumentException(file.name());
    }
    return new ExpertFile(
        file,
        m.group(1) == null ? -1 : Integer.parseInt(m.group(1)),
        Integer.parseInt(m.group(2)),
        Integer.parseInt(m.group(3)));
  }

  /** The name that the file of an expert has. */
  static String nameOf(int layer, int expert, int modelRank) {
    return (layer < 0 ? "" : "layer_" + layer + "_")
        + String.format(Locale.ROOT, "expert_%d_mp_rank_%02d_model_states.pt", expert, modelRank);
  }
}
