package dev.reweave.look.doctor;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.tensor.StorageRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Looks at all that one torch.save file holds, needed or not. */
final class TorchFileExam {
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
   * Reads the structure, and finds every storage.
   *
   * @param index of the file, which goes into the storages
   * @throws dev.reweave.common.ReweaveException if the file is damaged, or none that torch.save
   *     wrote
   */
  static FileExam.Seen of(RandomAccess access, int index) throws IOException {
    String uri = access.file().uri();
    TorchFile file = TorchFile.read(access, index);
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
    return new FileExam.Seen(findings, Set.copyOf(file.storages()));
  }

  /** What is said of a storage that does not match its checksum. */
  static Finding damaged(String uri, StorageRef storage) {
    return new Finding(
        Severity.PROBLEM,
        "bytes have changed: they do not match their checksum",
        place(uri, storage),
        "copy the file again from its source, or take another tag");
  }
}
