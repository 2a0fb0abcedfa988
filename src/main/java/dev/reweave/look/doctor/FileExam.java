package dev.reweave.look.doctor;

import dev.reweave.checkpoint.huggingface.WeightFiles;
import dev.reweave.common.Progress;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.StorageRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Opens files, each by itself, and reads at least their first and last bytes. */
final class FileExam {
  private static final int HEAD_BYTES = 64;
  private static final String LFS_POINTER = "version https://git-lfs";

  /** Files that torch.save wrote, as their names say. */
  private static final Pattern TORCH = Pattern.compile("(?i).*\\.(pt|pth|ckpt)");

  private static final Pattern STATES = Pattern.compile(".*_states\\.pt");

  /** What the structure of a file tells: what is wrong with it, and which storages it has. */
  record Seen(List<Finding> findings, Set<StorageRef> storages) {
    static final Seen NOTHING = new Seen(List.of(), Set.of());

    static Seen of(Finding finding) {
      return new Seen(List.of(finding), Set.of());
    }

    /** The storages of which the file keeps a checksum. */
    Stream<StorageRef> checked() {
      return storages.stream()
          .filter(StorageRef::hasCrc)
          .sorted(Comparator.comparingLong(StorageRef::position));
    }
  }

  private final Stores stores;
  private final Depth depth;
  private final Progress progress;

  FileExam(Stores stores, Depth depth, Progress progress) {
    this.stores = stores;
    this.depth = depth;
    this.progress = progress;
  }

  /** Whether a finding is that the store failed, and tells nothing of the file. */
  static boolean isOfStore(Finding finding) {
    return finding.problem().startsWith("cannot read");
  }

  /** What is wrong with these files, in their order. */
  List<Finding> examine(Collection<InputFile> files) {
    List<InputFile> all = List.copyOf(files);
    List<Seen> seen;
    try (Progress.Step step =
        progress.begin(ThreadScanner.what(all.size()), Progress.Unit.FILES, all.size())) {
      seen =
          ParallelCalls.answers(
              IntStream.range(0, all.size()).boxed().toList(),
              i -> {
                Seen one = look(all, i);
                step.add(1);
                return one;
              });
    }
    if (depth.equals(Depth.STRUCTURE)) {
      return seen.stream().flatMap(s -> s.findings().stream()).toList();
    }
    StoredChecksums.Outcome outcome =
        new StoredChecksums(stores, all, progress)
            .compare(seen.stream().flatMap(Seen::checked).toList());
    List<Finding> findings = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      Finding unreadable = outcome.unreadable().get(i);
      if (unreadable != null) {
        findings.add(unreadable);
        continue;
      }
      String uri = all.get(i).uri();
      findings.addAll(seen.get(i).findings());
      seen.get(i)
          .checked()
          .filter(outcome.damaged()::contains)
          .forEach(storage -> findings.add(TorchFileExam.damaged(uri, storage)));
    }
    return findings;
  }

  private Seen look(List<InputFile> files, int index) {
    InputFile file = files.get(index);
    try (RandomAccess access = stores.open(file)) {
      return look(file, index, access);
    } catch (ReweaveException e) {
      return Seen.of(Finding.of(e));
    } catch (IOException e) {
      return Seen.of(Finding.of(Stores.unreadable(file.location(), e)));
    }
  }

  private Seen look(InputFile file, int index, RandomAccess access) throws IOException {
    boolean weights = WeightFiles.isWeights(file.name()) || STATES.matcher(file.name()).matches();
    if (file.length() == 0) {
      return weights
          ? Seen.of(problem(file, "the file is empty", "copy it again from its source"))
          : Seen.NOTHING;
    }
    byte[] head = new byte[(int) Math.min(HEAD_BYTES, file.length())];
    access.readFully(0, head, 0, head.length);
    access.readFully(file.length() - 1, new byte[1], 0, 1);
    if (new String(head, StandardCharsets.ISO_8859_1).startsWith(LFS_POINTER)) {
      return Seen.of(
          problem(
              file,
              "the file is a git-lfs pointer, not the file itself",
              "run 'git lfs pull' where it was cloned, and copy it again"));
    }
    boolean torch = TORCH.matcher(file.name()).matches();
    if (!torch && !(weights && file.name().endsWith(".bin"))) {
      return Seen.NOTHING;
    }
    try {
      return TorchFileExam.of(access, index);
    } catch (ReweaveException e) {
      // What else people keep beside weights, under the same suffixes, may be anything.
      return Seen.of(weights ? Finding.of(e) : Finding.of(e).as(Severity.WARNING));
    }
  }

  private static Finding problem(InputFile file, String problem, String remedy) {
    return new Finding(Severity.PROBLEM, problem, file.uri(), remedy);
  }
}
