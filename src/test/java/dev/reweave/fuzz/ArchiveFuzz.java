package dev.reweave.fuzz;

import dev.reweave.format.pytorch.TorchFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The directory of a torch.save file, and where its storages lie. */
public final class ArchiveFuzz {
  private static final Documents DOCUMENTS = new Documents(files(), List.of());

  private ArchiveFuzz() {}

  private static List<List<byte[]>> files() {
    List<List<byte[]>> files = new ArrayList<>();
    for (String name : List.of("no_byteorder", "no_crc", "zip64", "zip64_local", "compressed")) {
      files.add(Words.zip(Seeds.bytes("torch/" + name + ".pt")));
    }
    files.add(Words.pickle(Seeds.bytes("torch/legacy_dtypes.pt"), 5));
    return files;
  }

  static List<byte[]> seeds() {
    return DOCUMENTS.seeds();
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    byte[] file = DOCUMENTS.read(input);
    Promise.check(
        () -> {
          if (Documents.way(input, 2) == 0) {
            TreeWalk.of(TorchFile.read(new MemoryFile(file), 0));
          } else {
            readPart(file);
          }
        });
  }

  /** As one of several streams in a file of a distributed checkpoint. */
  private static void readPart(byte[] file) throws IOException {
    int start = file.length / 8;
    byte[] whole = new byte[2 * start + file.length];
    System.arraycopy(file, 0, whole, start, file.length);
    TreeWalk.of(TorchFile.readPart(new MemoryFile(whole), 0, "part", start, file.length));
  }
}
