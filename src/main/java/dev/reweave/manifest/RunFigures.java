package dev.reweave.manifest;

import java.util.List;
import java.util.Map;

/**
 * What running a plan took and gave.
 *
 * @param bytesRead bytes fetched from input files' weights
 * @param bytesNeeded bytes of the weights that were converted, where they lie
 * @param requests number of reads
 * @param resumedFiles files that an earlier, killed run had finished
 * @param storagesChecked torch storages whose CRC-32 was compared with the saved one
 * @param storagesUnchecked torch storages that have none, or were read in part
 * @param unchecked the reasons for the latter
 * @param crc32c of each file that tasks wrote, by path
 * @param tensors by name, what is known of each tensor that has elements
 * @param differences by tensor, elements that differ between ranks that should have copies
 * @param proven tensors that were compared with the checkpoint's second copy of the weights
 * @param provenElements elements of these tensors
 * @param proof what that came to, or empty
 */
public record RunFigures(
    long bytesRead,
    long bytesNeeded,
    long requests,
    int resumedFiles,
    int storagesChecked,
    int storagesUnchecked,
    List<Manifest.Unchecked> unchecked,
    Map<String, Integer> crc32c,
    Map<String, TensorFacts> tensors,
    Map<String, Long> differences,
    int proven,
    long provenElements,
    String proof) {}
