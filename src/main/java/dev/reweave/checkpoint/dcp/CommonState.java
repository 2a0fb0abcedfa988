package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.TrainerArguments;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * What Megatron-Core stores once for all ranks, beside the tensors: among it the arguments of the
 * training.
 *
 * <p>0.16 keeps it in {@code common.pt}; 0.20 in an object of the distributed checkpoint, {@code
 * common_state}. NeMo stores no arguments.
 *
 * @param files beside those of the tensors that tell them
 * @param notes why they are not known, where there should be some
 */
record CommonState(TrainerArguments arguments, List<InputFile> files, List<String> notes) {
  private static final String COMMON = "common.pt";
  private static final String OBJECT = "common_state/";

  private static final CommonState NONE =
      new CommonState(TrainerArguments.NONE, List.of(), List.of());

  /** Reads it; there need be none. */
  static CommonState read(Stores stores, DcpFolder folder, DcpMetadata metadata) {
    InputFile common = folder.files().get(COMMON);
    Optional<DcpMetadata.StoredObject> object = metadata.object(OBJECT);
    if (common == null && object.isEmpty()) {
      return NONE;
    }
    InputFile file = common == null ? object.get().file() : common;
    try (RandomAccess access = stores.open(file)) {
      TorchValue root =
          common == null
              ? TorchFile.readPart(access, 0, OBJECT, object.get().start(), object.get().length())
                  .root()
              : TorchFile.read(access, 0).root();
      return new CommonState(
          arguments(root), common == null ? List.of() : List.of(common), List.of());
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return new CommonState(
          TrainerArguments.NONE,
          List.of(),
          List.of(
              "the trainer's own arguments are not known: "
                  + e.problem()
                  + " ("
                  + file.uri()
                  + ")"));
    } catch (IOException e) {
      throw Stores.unreadable(file.location(), e);
    }
  }

  /** An object of many ranks is stored as a list of what each of them had. */
  static TrainerArguments arguments(TorchValue root) {
    return TrainerArguments.of(
        root.isSequence() && !root.items().isEmpty() ? root.items().get(0) : root);
  }
}
