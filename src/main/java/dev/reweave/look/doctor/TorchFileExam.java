package dev.reweave.look.doctor;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.tensor.StorageRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/** Looks at all that one torch.save file holds, needed or not. */
final class TorchFileExam {
  private static final int BLOCK_BYTES = 4 << 20;

  /** What no framework saves: ways to run commands and code, and to reach files and hosts. */
  private static final Pattern SUSPECT =
      Pattern.compile(
          "(os|posix|nt|sys|subprocess|_posixsubprocess|shutil|socket|pty|runpy|importlib|ctypes"
              + "|code|commands|webbrowser|asyncio|multiprocessing|http|urllib|requests|pip)(\\..*)?"
              + "|(builtins|__builtin__)\\.(eval|exec|execfile|compile|open|__import__|getattr"
              + "|apply|breakpoint|input)"
              + "|torch\\.(load|hub\\..*)|pickle\\.loads?|_pickle\\.loads?");

  private static final String CALLS = "the pickle calls ";

  private TorchFileExam() {}

  /** Whether a finding is that a pickle would run commands. */
  static boolean isSuspicion(Finding finding) {
    return finding.problem().startsWith(CALLS);
  }

  /** Where a storage is, for messages. */
  static String place(String uri, StorageRef storage) {
    return uri + " storage " + storage.name();
  }

  /**
   * Reads the structure, finds every storage, and compares checksums if that is asked for.
   *
   * @throws dev.reweave.common.ReweaveException if the file is damaged, or none that torch.save
   *     wrote
   */
  static List<Finding> of(RandomAccess access, Depth depth) throws IOException {
    String uri = access.file().uri();
    TorchFile file = TorchFile.read(access, 0);
    List<Finding> findings = new ArrayList<>();
    List<String> suspect = file.calls().stream().filter(c -> SUSPECT.matcher(c).matches()).toList();
    if (!suspect.isEmpty()) {
      findings.add(
          new Finding(
              Severity.PROBLEM,
              CALLS + String.join(", ", suspect) + ", which no framework saves",
              uri,
              "do not open the file with torch.load, which may run that (Reweave runs nothing of"
                  + " it), and find out who wrote it"));
    }
    for (StorageRef storage : Set.copyOf(file.storages())) {
      if (depth.equals(Depth.CHECKSUMS) && storage.hasCrc() && !isWhole(access, storage)) {
        findings.add(
            new Finding(
                Severity.PROBLEM,
                "bytes have changed: they do not match their checksum",
                place(uri, storage),
                "copy the file again from its source, or take another tag"));
      }
    }
    return findings;
  }

  private static boolean isWhole(RandomAccess access, StorageRef storage) throws IOException {
    CRC32 crc = new CRC32();
    byte[] block = new byte[(int) Math.min(BLOCK_BYTES, storage.bytes())];
    for (long at = 0; at < storage.bytes(); at += block.length) {
      int length = (int) Math.min(block.length, storage.bytes() - at);
      access.readFully(storage.position() + at, block, 0, length);
      crc.update(block, 0, length);
    }
    return crc.getValue() == storage.crc32();
  }
}
