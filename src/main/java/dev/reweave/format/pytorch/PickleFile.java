package dev.reweave.format.pytorch;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import java.io.IOException;

/** A file that is one bare pickle, without tensors of its own, such as {@code .metadata}. */
public final class PickleFile {
  private PickleFile() {}

  /**
   * The pickled value. No code is run: objects are remembered by the names of their classes.
   *
   * @throws dev.reweave.common.ReweaveException if it is no pickle, damaged, or larger than the
   *     memory can take
   * @throws IOException if the store fails
   */
  public static TorchValue read(RandomAccess access) throws IOException {
    InputFile file = access.file();
    access.limit().require(file.length(), "the pickle", file.uri());
    byte[] pickle = new byte[(int) file.length()];
    access.readFully(0, pickle, 0, pickle.length);
    PickleBudget budget = new PickleBudget(file.uri());
    Unpickler unpickler =
        new Unpickler(PickleInput.of(pickle, file.uri()), new TorchGlobals(budget), budget);
    return TorchValue.root(file.uri(), unpickler.load());
  }
}
