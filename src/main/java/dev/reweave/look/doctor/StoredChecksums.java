package dev.reweave.look.doctor;

import dev.reweave.common.Counted;
import dev.reweave.common.Progress;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.StorageRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * Reads the storages of files and compares them with their checksums: in pieces, so that many reads
 * are under way at once, be there few files or many.
 */
final class StoredChecksums {
  private static final long READ_IN_TURN = 64L << 20;
  private static final int MOST_BUFFERED = 4 << 20;

  /**
   * What was found.
   *
   * @param damaged whose bytes are others than were written
   * @param unreadable why not all of a file could be read, by its index
   */
  record Outcome(Set<StorageRef> damaged, Map<Integer, Finding> unreadable) {}

  /** Bytes {@code [from, to)} of a storage. */
  private record Piece(StorageRef storage, long from, long to) {
    long length() {
      return to - from;
    }
  }

  /**
   * What is known of some pieces.
   *
   * @param shares what each adds to its storage's checksum
   * @param failure why they could not be read
   */
  private record Answer(List<Piece> pieces, List<Integer> shares, Optional<Finding> failure) {}

  private final Stores stores;
  private final List<InputFile> files;
  private final Progress progress;

  StoredChecksums(Stores stores, List<InputFile> files, Progress progress) {
    this.stores = stores;
    this.files = files;
    this.progress = progress;
  }

  /**
   * Reads these storages.
   *
   * @param storages each of which has a checksum; those of a file one after another
   */
  Outcome compare(List<StorageRef> storages) {
    Map<StorageRef, Integer> sums = new HashMap<>();
    Map<Integer, Finding> unreadable = new HashMap<>();
    long bytes = storages.stream().mapToLong(StorageRef::bytes).sum();
    List<Answer> answers;
    try (Progress.Step step =
        progress.begin(
            "compare the checksums of " + Counted.of(storages.size(), "storage"),
            Progress.Unit.BYTES,
            bytes)) {
      answers = ParallelCalls.answers(work(storages), pieces -> read(pieces, step));
    }
    for (Answer answer : answers) {
      answer.failure().ifPresent(why -> unreadable.putIfAbsent(fileOf(answer.pieces()), why));
      for (int i = 0; i < answer.shares().size(); i++) {
        sums.merge(answer.pieces().get(i).storage(), answer.shares().get(i), (a, b) -> a ^ b);
      }
    }
    Set<StorageRef> damaged = new HashSet<>();
    sums.forEach(
        (storage, sum) -> {
          if ((sum & 0xFFFFFFFFL) != storage.crc32()) {
            damaged.add(storage);
          }
        });
    return new Outcome(damaged, unreadable);
  }

  /**
   * Pieces of one file each that are read one after another: all of small storages, parts of large
   * ones.
   */
  private static List<List<Piece>> work(List<StorageRef> storages) {
    List<List<Piece>> work = new ArrayList<>();
    List<Piece> pieces = new ArrayList<>();
    long bytes = 0;
    for (StorageRef storage : storages) {
      long from = 0;
      do {
        Piece piece = new Piece(storage, from, Math.min(storage.bytes(), from + READ_IN_TURN));
        boolean fits = bytes + piece.length() <= READ_IN_TURN;
        if (!pieces.isEmpty() && !(fits && fileOf(pieces) == storage.file())) {
          work.add(List.copyOf(pieces));
          pieces.clear();
          bytes = 0;
        }
        pieces.add(piece);
        bytes += piece.length();
        from = piece.to();
      } while (from < storage.bytes());
    }
    if (!pieces.isEmpty()) {
      work.add(pieces);
    }
    return work;
  }

  private static int fileOf(List<Piece> pieces) {
    return pieces.get(0).storage().file();
  }

  private Answer read(List<Piece> pieces, Progress.Step step) {
    InputFile file = files.get(fileOf(pieces));
    List<Integer> shares = new ArrayList<>();
    try (RandomAccess access = stores.open(file)) {
      long longest = pieces.stream().mapToLong(Piece::length).max().orElse(0);
      int most = Math.min(MOST_BUFFERED, access.stride());
      byte[] buffer = new byte[(int) Math.min(most, longest)];
      for (Piece piece : pieces) {
        shares.add(share(access, piece, buffer, step));
      }
      return new Answer(pieces, shares, Optional.empty());
    } catch (ReweaveException e) {
      return new Answer(pieces, List.of(), Optional.of(Finding.of(e)));
    } catch (IOException e) {
      Finding failure = Finding.of(Stores.unreadable(file.location(), e));
      return new Answer(pieces, List.of(), Optional.of(failure));
    }
  }

  private static int share(RandomAccess access, Piece piece, byte[] buffer, Progress.Step step)
      throws IOException {
    CRC32 crc = new CRC32();
    for (long at = piece.from(); at < piece.to(); at += buffer.length) {
      int length = (int) Math.min(buffer.length, piece.to() - at);
      access.readFully(piece.storage().position() + at, buffer, 0, length);
      crc.update(buffer, 0, length);
      step.add(length);
    }
    long behind = piece.storage().bytes() - piece.to();
    return Checksum.CRC_32.share((int) crc.getValue(), behind);
  }
}
