package dev.reweave.checkpoint.dcp;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** What is said of distributed checkpoints that are not read. */
final class DcpFailures {
  private static final String INCOMPLETE =
      "the checkpoint was not saved or copied whole: copy it again from the training run";

  private DcpFailures() {}

  /** One file of a distributed checkpoint, named by itself. */
  static ReweaveException partOfCheckpoint(String name, String place, String folder) {
    return ReweaveException.usage(
        "this file is not a whole model, but "
            + (DcpFolder.holdsChunks(name)
                ? "what one rank saved of a distributed checkpoint"
                : "the description of a distributed checkpoint"),
        place,
        "name the folder with all of its files: " + folder);
  }

  /** The run died while saving, or the file was left behind, as its name begins with a dot. */
  static ReweaveException unfinished(String place) {
    return new ReweaveException(
        "a distributed checkpoint without "
            + DcpFolder.METADATA
            + ", which is written last and tells what is in the others",
        place,
        "copy it from the training run, as commands leave out files that begin with a dot; if it is"
            + " not there either, the run died while saving: take another step");
  }

  /** {@code --weights ema}. */
  static ReweaveException noAverage(String place) {
    return ReweaveException.notFound(
        "no dict of this distributed checkpoint has ema in its key: there is no moving average",
        place,
        "leave --weights out for the model's own weights");
  }

  /** {@code --weights ema}, and averages of two networks or two decays. */
  static ReweaveException severalAverages(List<String> keys, String place) {
    return ReweaveException.unsupported(
        "there are several averages of weights here: '" + String.join("', '", keys) + "'",
        place,
        "load the one that is meant with torch.distributed.checkpoint, and save it by itself");
  }

  /** {@code --weights ema}, and a list such as {@code shadow_params}. */
  static ReweaveException averageWithoutNames(String key, String place) {
    return ReweaveException.unsupported(
        "the average in '" + key + "' is a list, without a name for each tensor",
        place,
        "in the training run, copy the average into the model, save that as a checkpoint, and"
            + " convert it");
  }

  /** {@code --weights master}. */
  static ReweaveException noMasters(String place) {
    return ReweaveException.usage(
        "a distributed checkpoint's weights are the model's own, as they were trained",
        place,
        "leave --weights out");
  }

  /** {@code --weights master}, and Megatron-LM's {@code dp_reshardable}. */
  static ReweaveException flatMasters(String why, String place) {
    return ReweaveException.unsupported(
        "the fp32 masters are in flat buckets of the distributed optimizer, without names: " + why,
        place,
        "leave --weights out for the model's own weights, or save with"
            + " --dist-ckpt-optim-fully-reshardable");
  }

  /** {@code --weights master}, and the optimizer's state is of a part of the model. */
  static ReweaveException mastersMissing(List<String> tensors, int all, String place) {
    return new ReweaveException(
        tensors.size()
            + " of "
            + all
            + " tensors have no fp32 master: "
            + String.join(", ", tensors.subList(0, Math.min(10, tensors.size()))),
        place,
        "leave --weights out for the model's own weights");
  }

  /** The optimizer's state is of another model, or of an optimizer that keeps it otherwise. */
  static ReweaveException unfitMaster(
      String tensor, Shape shape, DType type, Shape stored, String place) {
    return new ReweaveException(
        "tensor "
            + tensor
            + " has shape "
            + shape
            + ", and its master is "
            + type.torchName()
            + " of shape "
            + stored,
        place,
        "leave --weights out for the model's own weights");
  }

  /** {@code --exclude-frozen}. */
  static ReweaveException frozenNotTold(String place) {
    return ReweaveException.usage(
        "a distributed checkpoint does not say which parameters were frozen",
        place,
        "leave --exclude-frozen out");
  }

  /** The checkpoint is that of an optimizer. */
  static ReweaveException noWeights(Optional<String> left, String place) {
    return ReweaveException.notFound(
        "the checkpoint holds no weights" + left.map(other -> ": " + other).orElse(""),
        place,
        "name the checkpoint of the model, not that of its optimizer");
  }

  /** The folder of one step was named, and another step is asked for. */
  static ReweaveException anotherStep(String name, String wanted, String place) {
    return ReweaveException.usage(
        "this is the folder of step '" + name + "', and --tag asks for " + wanted,
        place,
        "name the folder above it, or leave --tag out");
  }

  /** The name is misspelt, or the step was deleted. */
  static ReweaveException noStep(String tag, Collection<String> steps, String place) {
    return ReweaveException.notFound(
        "there is no saved step '" + tag + "' with " + DcpFolder.METADATA,
        place,
        "choose one of " + steps + " with --tag");
  }

  /** Several steps, and none is the newest. */
  static ReweaveException unclearStep(List<String> steps, String place) {
    return ReweaveException.usage(
        "several distributed checkpoints: which is meant is not clear",
        place,
        "choose one of " + steps + " with --tag");
  }

  /** The newest step was deleted or not copied. */
  static ReweaveException newestMissing(String newest, List<String> steps, String place) {
    return new ReweaveException(
        "the newest step is '" + newest + "', which is not there",
        place,
        "choose one of " + steps + " with --tag");
  }

  /** It was saved with {@code use_collectives=False}. */
  static ReweaveException metadataOfRanks(String place) {
    return ReweaveException.unsupported(
        "a distributed checkpoint with the metadata of each rank apart, which is not read",
        place,
        "save it again without use_collectives=False");
  }

  /** It was saved with {@code SerializationFormat.SAFETENSORS}. */
  static ReweaveException inSafetensors(String place) {
    return ReweaveException.unsupported(
        "a distributed checkpoint in safetensors files, which is not read",
        place,
        "save it with SerializationFormat.TORCH_SAVE, which is the default");
  }

  /** Files of two steps are mixed, or one is damaged. */
  static ReweaveException anotherTensor(
      StoredChunk stated, DType storedType, Shape storedShape, String place) {
    return new ReweaveException(
        "the metadata states "
            + stated.dtype().torchName()
            + " of shape "
            + stated.sizes()
            + ", and stored is "
            + storedType.torchName()
            + " of shape "
            + storedShape,
        place,
        "files of different steps are mixed, or damaged: copy the checkpoint again");
  }

  /** Files of two steps are mixed, or the metadata are damaged. */
  static ReweaveException chunksDoNotFit(
      String tensor, String place, IllegalArgumentException cause) {
    return new ReweaveException(
        "the chunks of tensor " + tensor + " do not make it up: " + cause.getMessage(),
        place,
        INCOMPLETE,
        cause);
  }

  /** The metadata are damaged. */
  static ReweaveException chunksOverlap(List<Long> offsets, String tensor, String place) {
    return new ReweaveException(
        "two chunks of different shapes start at " + offsets + " of tensor " + tensor,
        place,
        INCOMPLETE);
  }

  /** The metadata are damaged, or the run died while saving. */
  static ReweaveException chunkWithoutFile(String chunk, String metadata) {
    return new ReweaveException("a chunk is stored nowhere", metadata + " " + chunk, INCOMPLETE);
  }

  /** An extension of the storage writer, such as {@code ZStandard}. */
  static ReweaveException transformed(String chunk, String metadata) {
    return ReweaveException.unsupported(
        "chunks that were compressed or otherwise transformed are not read",
        metadata + " " + chunk,
        "save the checkpoint again without extensions of the storage writer");
  }

  /** The file of a rank was not copied. */
  static ReweaveException missingFile(String name, String chunk, String place) {
    return new ReweaveException(
        "the file '" + name + "' is missing, which holds " + chunk, place, INCOMPLETE);
  }

  /** A copy broke off, or files of two steps are mixed. */
  static ReweaveException cutOff(
      String chunk, long start, long length, long fileLength, String place) {
    return new ReweaveException(
        "the file has "
            + fileLength
            + " bytes, and "
            + chunk
            + " should be "
            + length
            + " bytes from "
            + start,
        place,
        INCOMPLETE);
  }

  /** {@code .metadata} is of something else, or of PyTorch before 2.1. */
  static ReweaveException notMetadata(String lacking, String place) {
    return ReweaveException.unsupported(
        "'" + lacking + "' is missing: this is not the metadata of a distributed checkpoint",
        place,
        "name a folder that torch.distributed.checkpoint wrote, of PyTorch 2.1 or newer");
  }
}
