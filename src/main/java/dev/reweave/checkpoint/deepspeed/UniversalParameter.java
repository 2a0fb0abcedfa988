package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.NamedTensor;
import java.io.IOException;
import java.io.Serializable;

/**
 * What the {@code fp32.pt} of one parameter holds: under ZeRO-1 and 2 a dict with the parameter as
 * it is without tensor parallelism, under ZeRO-3 a bare, flat tensor.
 *
 * @param tensor the parameter in the shape in which it is stored
 * @param vocabulary whether its rows are the vocabulary, whose padding the converter cuts off
 * @param whole whether the shape is the parameter's own whatever a rank's was: the experts of all
 *     ranks are in it
 */
record UniversalParameter(NamedTensor tensor, boolean vocabulary, boolean whole)
    implements Serializable {
  private static final String PARAM = "param";
  private static final String VOCABULARY = "vocab_tensor";
  private static final String EXPERT = "is_expert_param";

  static UniversalParameter read(TorchFile file, String name) throws IOException {
    TorchValue root = file.root();
    boolean dict = root.isDict();
    TorchValue param = dict ? root.find(PARAM).orElse(root) : root;
    if (!param.isTensor()) {
      throw UniversalFailures.noParameter(PARAM, root.place());
    }
    return new UniversalParameter(
        file.locate(name, param.tensor()),
        dict && isTrue(root, VOCABULARY),
        dict && isTrue(root, EXPERT));
  }

  private static boolean isTrue(TorchValue dict, String key) {
    return dict.find(key).filter(TorchValue::isTruth).map(TorchValue::truth).orElse(false);
  }

  /** Without rows that are there for the sake of tensor parallelism alone. */
  UniversalParameter withVocabulary(long rows) {
    long[] dims = tensor.spec().shape().dims();
    return vocabulary && rows > 0 && dims.length > 0 && dims[0] > rows
        ? new UniversalParameter(tensor.narrowed(tensor.name(), 0, 0, rows), vocabulary, whole)
        : this;
  }
}
