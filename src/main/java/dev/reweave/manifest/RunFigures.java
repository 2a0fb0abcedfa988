package dev.reweave.manifest;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What running a plan took and gave.
 *
 * @param crc32c of each file that tasks wrote, by path
 * @param tensors by name, what is known of each tensor that has elements
 * @param differences by tensor, elements that differ between ranks that should have copies
 * @param proof what comparing with a second copy came to; empty if nothing was compared
 */
public record RunFigures(
    Read read,
    Checked checked,
    Map<String, Integer> crc32c,
    Map<String, TensorFacts> tensors,
    Map<String, Long> differences,
    Optional<Manifest.Proof> proof) {
  /**
   * What was fetched.
   *
   * @param bytes of weights, from input files
   * @param needed bytes of the weights that were converted, where they lie
   * @param resumedFiles files that an earlier, killed run had finished
   */
  public record Read(long bytes, long needed, long requests, int resumedFiles) {}

  /**
   * What was compared with checksums: torch storages with what was saved, and files of the result.
   *
   * @param unchecked those that have none, or were read in part
   * @param reasons for the latter
   * @param files of the result that the store compared with checksums as they came
   */
  public record Checked(int storages, int unchecked, List<Manifest.Unchecked> reasons, int files) {}
}
