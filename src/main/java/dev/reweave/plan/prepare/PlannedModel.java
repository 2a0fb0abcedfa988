package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;

/**
 * The model that a checkpoint becomes.
 *
 * @param checkpoint what it is made of
 * @param renaming its tensors under the names of the result
 * @param base what it is made to look like, if anything
 * @param plan file by file
 * @param notes what the user should know
 * @param beside files that it is made of beside those of the checkpoint, as they were listed
 */
public record PlannedModel(
    Checkpoint checkpoint,
    Renaming renaming,
    Optional<BaseTemplate> base,
    ConversionPlan plan,
    List<String> notes,
    List<InputFile> beside) {}
