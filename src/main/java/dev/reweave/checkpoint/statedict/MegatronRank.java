package dev.reweave.checkpoint.statedict;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What one rank of Megatron-LM or NeMo saves with torch.save: {@code
 * iter_0000005/mp_rank_00/model_optim_rng.pt}, with pipeline stages {@code mp_rank_00_000}, in NeMo
 * also {@code tp_rank_00_pp_rank_000} ({@code get_checkpoint_name} in {@code
 * megatron/training/checkpointing.py}, {@code inject_model_parallel_rank} in NeMo). It is a whole
 * model where there is one rank.
 */
final class MegatronRank {
  private static final Pattern FOLDER =
      Pattern.compile("(mp_rank_\\d{1,9}(_\\d{1,9}){0,2})|(tp_rank_\\d{1,9}_pp_rank_\\d{1,9})");

  private static final Pattern FIRST = Pattern.compile("[^1-9]*");

  private static final List<String> DEGREES =
      List.of(
          "tensor_model_parallel_size",
          "pipeline_model_parallel_size",
          "expert_model_parallel_size",
          "model_parallel_size");

  private MegatronRank() {}

  /**
   * Refuses the file of one rank of several, as the folders tell.
   *
   * @throws ReweaveException if it is one
   */
  static void requireOnly(Stores stores, InputFile file) {
    Location folder = file.folder();
    String name = folder.name();
    if (!FOLDER.matcher(name).matches()) {
      return;
    }
    Location above = folder.parent();
    boolean only =
        FIRST.matcher(name).matches()
            && stores.list(above).folders().stream()
                .map(Location::name)
                .noneMatch(f -> !f.equals(name) && FOLDER.matcher(f).matches());
    if (!only) {
      throw StateDictFailures.oneOfFolders(above.uri(), file.uri());
    }
  }

  /**
   * The same as the file itself tells, in the arguments of the training.
   *
   * @throws ReweaveException if there were several ranks
   */
  static void requireOnly(TorchValue root) {
    Optional<TorchValue> arguments =
        root.find("args")
            .or(() -> root.find("hyper_parameters").map(h -> inner(h, "cfg").orElse(h)));
    if (arguments.isEmpty()) {
      return;
    }
    for (String degree : DEGREES) {
      long ranks = inner(arguments.get(), degree).flatMap(MegatronRank::number).orElse(1L);
      if (ranks > 1) {
        throw StateDictFailures.oneOfRanks(ranks, degree, root.place());
      }
    }
  }

  /** In a Namespace, a dict, or a config of OmegaConf, which keeps nodes in {@code _content}. */
  private static Optional<TorchValue> inner(TorchValue value, String name) {
    return value
        .find(name)
        .or(() -> value.attribute(name))
        .or(() -> value.attribute("_content").flatMap(c -> c.find(name)));
  }

  private static Optional<Long> number(TorchValue value) {
    return Optional.of(value.attribute("_val").orElse(value))
        .filter(TorchValue::isInteger)
        .map(TorchValue::integer);
  }
}
