package dev.reweave.fuzz;

import dev.reweave.format.pytorch.PickleFile;
import dev.reweave.format.pytorch.TorchFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The unpickler, and the tree of values that it makes: bare, in a zip and in the legacy format. */
public final class PickleFuzz {
  private static final TorchArchive ZIP = Seeds.archive("torch/state_dict.pt");
  private static final byte[] LEGACY_HEAD = legacyHead();
  private static final Documents DOCUMENTS = new Documents(pickles(), Words.opcodes());

  private PickleFuzz() {}

  private static List<List<byte[]>> pickles() {
    List<List<byte[]>> pickles = new ArrayList<>();
    for (String name :
        List.of(
            "torch/protocol1.pt",
            "torch/protocol5.pt",
            "torch/numpy_scalars.pt",
            "torch/parameters.pt",
            "torch/exotic.pt",
            "torch/recursive.pt",
            "torch/objects_protocol2.pt",
            "torch/objects_protocol4.pt",
            "torch/state_dict.pt",
            "fixtures/z3_bf16_w2/ckpt/global_step3/zero_pp_rank_0_mp_rank_00_model_states.pt")) {
      pickles.add(Words.pickle(Seeds.archive(name).pickle(), 1));
    }
    return pickles;
  }

  /** The three pickles that come before the value. */
  private static byte[] legacyHead() {
    byte[] file = Seeds.bytes("torch/legacy.pt");
    byte[] rest = Words.pickle(file, 3).get(Words.pickle(file, 3).size() - 1);
    return Arrays.copyOf(file, file.length - rest.length);
  }

  static List<byte[]> seeds() {
    return DOCUMENTS.seeds();
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    byte[] pickle = DOCUMENTS.read(input);
    switch (Documents.way(input, 3)) {
      case 0 -> Promise.check(() -> TreeWalk.of(PickleFile.read(new MemoryFile(pickle))));
      case 1 -> readFile(ZIP.with(pickle));
      default -> {
        byte[] legacy = Arrays.copyOf(LEGACY_HEAD, LEGACY_HEAD.length + pickle.length);
        System.arraycopy(pickle, 0, legacy, LEGACY_HEAD.length, pickle.length);
        readFile(legacy);
      }
    }
  }

  private static void readFile(byte[] file) {
    Promise.check(() -> TreeWalk.of(TorchFile.read(new MemoryFile(file), 0)));
  }
}
