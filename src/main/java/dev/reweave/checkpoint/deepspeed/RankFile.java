package dev.reweave.checkpoint.deepspeed;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One rank's file in a tag folder, as its name tells. Names are those that {@code
 * DeepSpeedEngine._get_ckpt_name} and {@code _get_zero_ckpt_name} make; very old versions left out
 * the underscore before {@code optim_states}.
 *
 * @param dataRank rank among the data-parallel processes; 0 where the name has none
 * @param modelRank rank among the tensor- and pipeline-parallel processes
 */
record RankFile(InputFile file, Kind kind, int dataRank, int modelRank) {
  enum Kind {
    /** Module states that all data-parallel ranks share: ZeRO-0, 1 and 2. */
    MODEL,
    /** Module states of one data-parallel rank: ZeRO-3. */
    PARTITIONED_MODEL,
    /** ZeRO optimizer partition. */
    OPTIMIZER,
    /** A flat partition that was offloaded to NVMe; see {@link OffloadedMasters}. */
    OFFLOADED,
    /** One layer of a pipeline, of one tensor-parallel rank; see {@link LayerFile}. */
    LAYER,
    /** One expert, of one tensor-parallel rank; see {@link ExpertFile}. */
    EXPERT,
    /** Optimizer states of experts, which only training without ZeRO writes. */
    EXPERT_OPTIMIZER,
    /** A name like these that no known version makes. */
    UNKNOWN
  }

  private static final Pattern MODEL = Pattern.compile("mp_rank_(\\d{1,9})_model_states\\.pt");
  private static final Pattern PARTITIONED_MODEL =
      Pattern.compile("zero_pp_rank_(\\d{1,9})_mp_rank_(\\d{1,9})_model_states\\.pt");
  private static final Pattern OPTIMIZER =
      Pattern.compile("(?:bf16_)?zero_pp_rank_(\\d{1,9})_mp_rank_(\\d{1,9})_?optim_states\\.pt");
  private static final Pattern EXPERT_OPTIMIZER =
      Pattern.compile("expp_rank_\\d{1,9}_mp_rank_(\\d{1,9})_optim_states\\.pt");
  private static final Pattern UNKNOWN =
      Pattern.compile(
          "(?:layer|expert|expp_rank)_\\d+.*_states\\.pt"
              + "|(?:zero_pp_rank_\\d+_)?mp_rank_\\d+_model_states\\.pt"
              + "|(?:bf16_)?zero_pp_rank_\\d+_mp_rank_\\d+_?optim_states\\.pt");

  /** What the name of a file tells; empty if it is no file of a rank. */
  static Optional<RankFile> of(InputFile file) {
    Matcher m = MODEL.matcher(file.name());
    if (m.matches()) {
      return Optional.of(new RankFile(file, Kind.MODEL, 0, Integer.parseInt(m.group(1))));
    }
    m = PARTITIONED_MODEL.matcher(file.name());
    if (m.matches()) {
      return Optional.of(numbered(file, Kind.PARTITIONED_MODEL, m));
    }
    m = OPTIMIZER.matcher(file.name());
    if (m.matches()) {
      return Optional.of(numbered(file, Kind.OPTIMIZER, m));
    }
    if (LayerFile.NAME.matcher(file.name()).matches()) {
      return Optional.of(new RankFile(file, Kind.LAYER, 0, 0));
    }
    m = ExpertFile.NAME.matcher(file.name());
    if (m.matches()) {
      return Optional.of(new RankFile(file, Kind.EXPERT, 0, Integer.parseInt(m.group(3))));
    }
    m = EXPERT_OPTIMIZER.matcher(file.name());
    if (m.matches()) {
      return Optional.of(
          new RankFile(file, Kind.EXPERT_OPTIMIZER, 0, Integer.parseInt(m.group(1))));
    }
    return UNKNOWN.matcher(file.name()).matches()
        ? Optional.of(new RankFile(file, Kind.UNKNOWN, 0, 0))
        : Optional.empty();
  }

  /** Whether a folder with these files is that of a step. */
  static boolean areAmong(List<InputFile> files) {
    return files.stream().anyMatch(f -> of(f).isPresent());
  }

  /** Those in a folder of a step, by kind and rank, with what the ranks had offloaded. */
  static List<RankFile> among(Stores stores, Stores.Listing step) {
    List<RankFile> files =
        new ArrayList<>(
            step.files().stream()
                .flatMap(f -> of(f).stream())
                .sorted(
                    Comparator.comparing(RankFile::kind)
                        .thenComparing(RankFile::modelRank)
                        .thenComparing(RankFile::dataRank))
                .toList());
    if (!files.isEmpty()) {
      files.addAll(OffloadedMasters.among(stores, step));
    }
    return files;
  }

  private static RankFile numbered(InputFile file, Kind kind, Matcher m) {
    return new RankFile(file, kind, Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)));
  }

  /** The address that the file of another tensor- or pipeline-parallel rank has. */
  String addressOfModelRank(int rank) {
    return file.uri()
        .replaceFirst("mp_rank_\\d+(?=[^/]*$)", String.format(Locale.ROOT, "mp_rank_%02d", rank));
  }

  /** The name that the file of another data-parallel rank has. */
  String nameOfRank(int rank) {
    return file.name().replaceFirst("pp_rank_\\d+", "pp_rank_" + rank);
  }
}
