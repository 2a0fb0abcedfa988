package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Caution;
import java.io.Serializable;
import java.util.List;

/**
 * What was read of one file, with what it holds that is not known.
 *
 * @param clientState keys that are taken for the trainer's
 */
record Surveyed<T extends Serializable>(T facts, List<Caution> cautions, List<String> clientState)
    implements Serializable {}
