package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.LeftTensors;
import java.io.Serializable;
import java.util.List;

/**
 * What was read of one file, with what it holds that is not known or not taken.
 *
 * @param clientState keys that are taken for the trainer's
 * @param left tensors that are not taken
 * @param place the file
 */
record Surveyed<T extends Serializable>(
    T facts, List<Caution> cautions, List<String> clientState, List<LeftTensors> left, String place)
    implements Serializable {}
