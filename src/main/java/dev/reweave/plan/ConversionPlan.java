package dev.reweave.plan;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.PartRule;
import dev.reweave.tensor.Layout;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * All that a conversion will do, before a byte of weights is read: which files, and where each byte
 * of them comes from. Grows with the numbers of tensors and files, not with their product.
 *
 * @param sources input files, by {@code StorageRef.file()}: the checkpoint's, then the base's
 * @param checkpointFiles how many of them are the checkpoint's
 * @param files what tasks write; copies of the base's files first, then shards by their numbers
 * @param configs small files that become visible behind them
 * @param index of several shards
 * @param last small files that become visible behind the index, such as {@code model_index.json}
 * @param chunkBytes most bytes of one chunk; empty for what the output's store has as a rule
 * @param witness what the tensors are compared with while they are made
 */
public record ConversionPlan(
    List<InputFile> sources,
    int checkpointFiles,
    List<PlannedFile> files,
    List<SmallFile> configs,
    Optional<SmallFile> index,
    List<SmallFile> last,
    Optional<Long> chunkBytes,
    Witness witness) {

  public ConversionPlan {
    sources = List.copyOf(sources);
    files = List.copyOf(files);
    configs = List.copyOf(configs);
    last = List.copyOf(last);
  }

  /**
   * The same plan, with what its tensors are to be compared with.
   *
   * @param copy by tensor, where its elements are once more in the files of the witness
   */
  public ConversionPlan provenBy(Map<String, Layout> copy, Witness by) {
    return new ConversionPlan(
        sources,
        checkpointFiles,
        files.stream().map(f -> f.provenBy(copy, by.extent())).toList(),
        configs,
        index,
        last,
        chunkBytes,
        by);
  }

  /**
   * The same plan with other names for its shards, which the index names.
   *
   * @param naming from the path that a shard has to the one that it gets, in the same folder
   */
  ConversionPlan renamed(UnaryOperator<String> naming) {
    return new ConversionPlan(
        sources,
        checkpointFiles,
        files.stream()
            .map(f -> f.role() == PlannedFile.Role.WEIGHTS ? f.at(naming.apply(f.path())) : f)
            .toList(),
        configs,
        index.map(file -> file.renamed(naming)),
        last,
        chunkBytes,
        witness);
  }

  /** The part that tasks need. */
  public Work work() {
    return new Work(sources, files, witness.files());
  }

  /** What is sent to every task, once. */
  public record Work(List<InputFile> sources, List<PlannedFile> files, List<InputFile> second)
      implements Serializable {}

  /** The files of weights. */
  public List<PlannedFile> shards() {
    return files.stream().filter(f -> f.role() == PlannedFile.Role.WEIGHTS).toList();
  }

  /** The files of the base that are copied. */
  public List<PlannedFile> copied() {
    return files.stream().filter(f -> f.role() == PlannedFile.Role.COPY).toList();
  }

  /** All small files in the order in which they become visible. */
  public List<SmallFile> smallFiles() {
    return Stream.of(configs.stream(), index.stream(), last.stream()).flatMap(s -> s).toList();
  }

  /** Paths of all that the plan makes. */
  public List<String> paths() {
    return Stream.concat(
            files.stream().map(PlannedFile::path), smallFiles().stream().map(SmallFile::path))
        .toList();
  }

  /**
   * All chunks, file after file, as long as they may be. The tail of a file is in one chunk, its
   * last.
   *
   * @param rule what the output's store can put together
   */
  public List<Chunk> chunks(PartRule rule) {
    long most = mostBytes(rule);
    return chunks(rule, file -> most);
  }

  /**
   * All chunks, in even shares for so many tasks at a time.
   *
   * @param rule what the output's store can put together
   */
  public List<Chunk> chunks(PartRule rule, int slots) {
    List<Long> lengths = files.stream().map(PlannedFile::length).toList();
    long most = new EvenChunks(lengths, mostBytes(rule)).bytes(slots, rule.waitedBytes());
    return chunks(rule, file -> EvenChunks.bytes(file, most));
  }

  private long mostBytes(PartRule rule) {
    return chunkBytes.orElseGet(() -> rule.usualBytes() - rule.usualBytes() % Chunk.ALIGNMENT);
  }

  private List<Chunk> chunks(PartRule rule, LongUnaryOperator wanted) {
    List<Chunk> chunks = new ArrayList<>();
    for (int f = 0; f < files.size(); f++) {
      PlannedFile file = files.get(f);
      long step = step(rule, file, wanted.applyAsLong(file.length()));
      int number = 1;
      long from = 0;
      while (from < file.length()) {
        long to = Math.min(file.length(), from + step);
        to = to > file.tailStart() ? file.length() : to;
        chunks.add(new Chunk(f, number++, from, to));
        from = to;
      }
    }
    return chunks;
  }

  /** Length of all chunks of a file but the last. */
  private static long step(PartRule rule, PlannedFile file, long wanted) {
    long bytes = rule.partBytes(file.length(), wanted, Chunk.ALIGNMENT);
    long cells = (bytes + file.cell() - 1) / file.cell();
    return Math.max(bytes, cells * file.cell());
  }

  /** Number of tensors in all shards. */
  public int tensors() {
    return shards().stream().mapToInt(s -> s.tensors().size()).sum();
  }

  /** Number of elements in all shards. */
  public long elements() {
    return shards().stream()
        .flatMap(s -> s.tensors().stream())
        .mapToLong(t -> t.spec().elements())
        .sum();
  }

  /** Bytes that will be read, where they lie. */
  public long bytesToRead() {
    return files.stream().mapToLong(PlannedFile::bytesToRead).sum();
  }

  /** Bytes of files that tasks will write. */
  public long bytesToWrite() {
    return files.stream().mapToLong(PlannedFile::length).sum();
  }
}
