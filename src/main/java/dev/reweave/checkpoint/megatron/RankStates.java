package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.TrainerArguments;
import dev.reweave.tensor.NamedTensor;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * What one rank's file holds.
 *
 * @param version of the checkpoint, as Megatron-LM counts them; 0 where it did not yet
 * @param iteration when it was saved; -1 if it does not say
 * @param arguments of the training; of the first file alone
 * @param chunks the rank's parts of the model, by name, in the order of its virtual stages; one
 *     where there are none
 * @param others entries of them that are no tensors
 * @param left tensors beside the model's
 */
record RankStates(
    double version,
    long iteration,
    TrainerArguments arguments,
    List<Map<String, NamedTensor>> chunks,
    int others,
    List<LeftTensors> left)
    implements Serializable {
  private static final long serialVersionUID = 1L;
}
