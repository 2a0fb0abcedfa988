package dev.reweave.checkpoint.deepspeed;

import dev.reweave.storage.InputFile;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The module states of one layer of a pipeline, as {@code PipelineModule.ckpt_layer_path} names
 * them: {@code layer_03-model_states.pt}, with tensor parallelism {@code
 * layer_03-model_01-model_states.pt}.
 *
 * @param layer its index in the pipeline
 * @param tensorRank rank among the tensor-parallel processes
 */
record LayerFile(InputFile file, int layer, int tensorRank) {
  static final Pattern NAME =
      Pattern.compile("layer_(\\d{1,9})(?:-model_(\\d{1,9}))?-model_states\\.pt");

  /** The layer files among files of ranks, by layer and tensor rank. */
  static List<LayerFile> among(List<RankFile> files) {
    return files.stream()
        .filter(f -> f.kind() == RankFile.Kind.LAYER)
        .map(f -> of(f.file()))
        .sorted(Comparator.comparingInt(LayerFile::layer).thenComparingInt(LayerFile::tensorRank))
        .toList();
  }

  /** Whether the file at an address is called as those of layers are. */
  static boolean isCalledSo(String uri) {
    return NAME.matcher(uri.substring(uri.lastIndexOf('/') + 1)).matches();
  }

  private static LayerFile of(InputFile file) {
    Matcher m = NAME.matcher(file.name());
    if (!m.matches()) {
      throw new IllegalArgumentException(file.name());
    }
    int rank = m.group(2) == null ? 0 : Integer.parseInt(m.group(2));
    return new LayerFile(file, Integer.parseInt(m.group(1)), rank);
  }

  /** The address that the file of another tensor-parallel rank has. */
  String addressOfRank(int rank) {
    return file.uri()
        .replaceFirst("-model_\\d+(?=[^/]*$)", String.format(Locale.ROOT, "-model_%02d", rank));
  }
}
