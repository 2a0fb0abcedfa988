package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.Location;
import java.util.List;
import java.util.Optional;

/**
 * A folder that holds one saved step.
 *
 * @param address its full address
 * @param tag its name
 * @param tags names of all steps beside it, itself included
 * @param files the ranks' files, by kind, model rank and data rank as numbers: 10 after 9
 * @param parameters the folders of the parameters, if this is a universal checkpoint
 * @param notes what was decided on the way to it
 */
record TagFolder(
    Location address,
    String tag,
    List<String> tags,
    List<RankFile> files,
    Optional<ParameterFolders> parameters,
    List<String> notes) {
  /** The files of a kind, in rank order. */
  List<RankFile> of(RankFile.Kind kind) {
    return files.stream().filter(f -> f.kind() == kind).toList();
  }
}
