package dev.reweave.look.doctor;

import dev.reweave.checkpoint.huggingface.WeightFiles;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;

/** Opens files, each by itself, and reads at least their first and last bytes. */
final class FileExam {
  private static final int HEAD_BYTES = 64;
  private static final String LFS_POINTER = "version https://git-lfs";

  /** Files that torch.save wrote, as their names say. */
  private static final Pattern TORCH = Pattern.compile("(?i).*\\.(pt|pth|ckpt)");

  private static final Pattern STATES = Pattern.compile(".*_states\\.pt");

  private final Stores stores;
  private final Depth depth;

  FileExam(Stores stores, Depth depth) {
    this.stores = stores;
    this.depth = depth;
  }

  /** Whether a finding is that the store failed, and tells nothing of the file. */
  static boolean isOfStore(Finding finding) {
    return finding.problem().startsWith("cannot read");
  }

  /** What is wrong with these files, in their order. */
  List<Finding> examine(Collection<InputFile> files) {
    return ParallelCalls.answers(files, this::examine).stream().flatMap(List::stream).toList();
  }

  private List<Finding> examine(InputFile file) {
    try (RandomAccess access = stores.open(file)) {
      return examine(file, access);
    } catch (ReweaveException e) {
      return List.of(Finding.of(e));
    } catch (IOException e) {
      return List.of(Finding.of(Stores.unreadable(file.location(), e)));
    }
  }

  private List<Finding> examine(InputFile file, RandomAccess access) throws IOException {
    boolean weights = WeightFiles.isWeights(file.name()) || STATES.matcher(file.name()).matches();
    if (file.length() == 0) {
      return weights
          ? List.of(problem(file, "the file is empty", "copy it again from its source"))
          : List.of();
    }
    byte[] head = new byte[(int) Math.min(HEAD_BYTES, file.length())];
    access.readFully(0, head, 0, head.length);
    access.readFully(file.length() - 1, new byte[1], 0, 1);
    if (new String(head, StandardCharsets.ISO_8859_1).startsWith(LFS_POINTER)) {
      return List.of(
          problem(
              file,
              "the file is a git-lfs pointer, not the file itself",
              "run 'git lfs pull' where it was cloned, and copy it again"));
    }
    boolean torch = TORCH.matcher(file.name()).matches();
    if (!torch && !(weights && file.name().endsWith(".bin"))) {
      return List.of();
    }
    try {
      return TorchFileExam.of(access, depth);
    } catch (ReweaveException e) {
      // What else people keep beside weights, under the same suffixes, may be anything.
      return List.of(weights ? Finding.of(e) : Finding.of(e).as(Severity.WARNING));
    }
  }

  private static Finding problem(InputFile file, String problem, String remedy) {
    return new Finding(Severity.PROBLEM, problem, file.uri(), remedy);
  }
}
