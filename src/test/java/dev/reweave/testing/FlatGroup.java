package dev.reweave.testing;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The parameters of one optimizer group of one model-parallel rank, as ZeRO-1 and 2 lay them end to
 * end over the files of the data-parallel ranks, to be written in another order than they are in.
 * Found without what is under test but for its reader of torch files.
 */
public final class FlatGroup {
  private static final Pattern RANK =
      Pattern.compile("(?:bf16_)?zero_pp_rank_(\\d+)_mp_rank_(\\d+)_optim_states\\.pt");

  /** A rank's piece of the group: bytes {@code [position, position + length)} of a file. */
  private record Piece(Path file, long position, int length) {}

  private final String name;
  private final List<Integer> lengths;
  private final List<Piece> pieces;

  private FlatGroup(String name, List<Integer> lengths, List<Piece> pieces) {
    this.name = name;
    this.lengths = lengths;
    this.pieces = pieces;
  }

  /** All groups of a saved step, by model-parallel rank. */
  public static List<FlatGroup> of(Path step) throws IOException {
    Map<Integer, Map<Integer, Path>> ranks = new TreeMap<>();
    for (Path file : optimizerFiles(step)) {
      Matcher rank = matcher(file);
      ranks
          .computeIfAbsent(Integer.valueOf(rank.group(2)), r -> new TreeMap<>())
          .put(Integer.valueOf(rank.group(1)), file);
    }
    List<FlatGroup> groups = new ArrayList<>();
    for (Map.Entry<Integer, Map<Integer, Path>> rank : ranks.entrySet()) {
      String model = "mp_rank_%02d".formatted(rank.getKey());
      List<List<Integer>> lengths = lengths(step.resolve(model + "_model_states.pt"));
      for (int g = 0; g < lengths.size(); g++) {
        List<Path> files = List.copyOf(rank.getValue().values());
        int sets = files.size() / partitions(files.get(0), g, files.size());
        for (int set = 0; set < sets; set++) {
          List<Piece> pieces = new ArrayList<>();
          for (int file = set; file < files.size(); file += sets) {
            pieces.add(piece(files.get(file), g));
          }
          String ofSet = sets == 1 ? "" : " experts of rank " + set;
          groups.add(new FlatGroup(model + " group " + g + ofSet, lengths.get(g), pieces));
        }
      }
    }
    return groups;
  }

  /** What each data-parallel rank of ZeRO-3 has: its slice of each parameter, padded. */
  public static List<FlatGroup> ofSlices(Path step) throws IOException {
    List<Path> files = optimizerFiles(step);
    List<FlatGroup> groups = new ArrayList<>();
    for (Path path : files) {
      String name = path.getFileName().toString().replace("bf16_", "");
      Path model = step.resolve(name.replace("optim", "model"));
      List<Integer> slices = new ArrayList<>();
      for (List<Integer> lengths : lengths(model)) {
        for (int length : lengths) {
          slices.add((length / Float.BYTES + files.size() - 1) / files.size() * Float.BYTES);
        }
      }
      List<Piece> pieces = new ArrayList<>();
      try (RandomAccess access = open(path)) {
        TorchFile file = TorchFile.read(access, 0);
        TorchValue state = file.root().at("optimizer_state_dict");
        for (TorchValue flat : state.at("fp32_flat_groups").items()) {
          pieces.add(piece(path, file.layout(flat.tensor())));
        }
      }
      groups.add(new FlatGroup(name.substring(0, name.indexOf("_mp_")), slices, pieces));
    }
    return groups;
  }

  /** The masters of a universal checkpoint, as if their files were pieces of one group. */
  public static FlatGroup ofUniversal(Path step) throws IOException {
    List<Integer> lengths = new ArrayList<>();
    List<Piece> pieces = new ArrayList<>();
    for (Path path : masterFiles(step)) {
      try (RandomAccess access = open(path)) {
        TorchFile file = TorchFile.read(access, 0);
        pieces.add(piece(path, file.layout(file.root().at("param").tensor())));
        lengths.add(pieces.get(pieces.size() - 1).length());
      }
    }
    return new FlatGroup("all masters", lengths, pieces);
  }

  private static List<Path> masterFiles(Path step) throws IOException {
    try (Stream<Path> files = Files.walk(step)) {
      return files.filter(f -> f.endsWith("fp32.pt")).sorted().toList();
    }
  }

  /** The optimizer files of a step, by name. */
  public static List<Path> optimizerFiles(Path step) throws IOException {
    try (Stream<Path> files = Files.list(step)) {
      return files
          .filter(f -> matcher(f).matches())
          .sorted(Comparator.comparing(Path::toString))
          .toList();
    }
  }

  private static Matcher matcher(Path file) {
    Matcher matcher = RANK.matcher(file.getFileName().toString());
    return matcher.matches() ? matcher : RANK.matcher("");
  }

  private static List<List<Integer>> lengths(Path model) throws IOException {
    try (RandomAccess access = open(model)) {
      List<List<Integer>> groups = new ArrayList<>();
      for (TorchValue group : TorchFile.read(access, 0).root().at("param_shapes").items()) {
        groups.add(
            group.entries().stream()
                .map(e -> Math.toIntExact(e.getValue().shape().elements() * Float.BYTES))
                .toList());
      }
      return groups;
    }
  }

  /** How many ranks share a group: all, but for groups of experts. */
  private static int partitions(Path path, int group, int ranks) throws IOException {
    try (RandomAccess access = open(path)) {
      TorchValue count =
          TorchFile.read(access, 0).root().at("optimizer_state_dict").at("partition_count");
      return count.isSequence() ? Math.toIntExact(count.items().get(group).integer()) : ranks;
    }
  }

  private static Piece piece(Path path, int group) throws IOException {
    try (RandomAccess access = open(path)) {
      TorchFile file = TorchFile.read(access, 0);
      TorchValue partitions =
          file.root().at("optimizer_state_dict").at("single_partition_of_fp32_groups");
      return piece(path, file.layout(partitions.items().get(group).tensor()));
    }
  }

  private static Piece piece(Path path, StoredLayout numbers) {
    long position = numbers.storage().position() + numbers.offset() * Float.BYTES;
    return new Piece(path, position, Math.toIntExact(numbers.elements() * Float.BYTES));
  }

  private static RandomAccess open(Path file) throws IOException {
    Stores stores = LocalStores.ALL;
    return stores.open(stores.file(Locations.of(file)).orElseThrow());
  }

  /** The bytes of each parameter. */
  public List<byte[]> read() throws IOException {
    int size = pieces.stream().mapToInt(Piece::length).sum();
    ByteBuffer all = ByteBuffer.allocate(size);
    for (Piece piece : pieces) {
      try (RandomAccessFile file = new RandomAccessFile(piece.file().toFile(), "r")) {
        file.seek(piece.position());
        file.readFully(all.array(), all.position(), piece.length());
        all.position(all.position() + piece.length());
      }
    }
    all.flip();
    List<byte[]> contents = new ArrayList<>();
    for (int length : lengths) {
      byte[] content = new byte[length];
      all.get(content);
      contents.add(content);
    }
    return contents;
  }

  /** Lays these bytes over the group, and takes the checksums out of the files. */
  public void write(List<byte[]> contents) throws IOException {
    ByteBuffer all = ByteBuffer.wrap(joined(contents));
    for (Piece piece : pieces) {
      byte[] bytes = new byte[Math.min(piece.length(), all.remaining())];
      all.get(bytes);
      try (RandomAccessFile file = new RandomAccessFile(piece.file().toFile(), "rw")) {
        file.seek(piece.position());
        file.write(bytes);
      }
      forgetChecksums(piece.file());
    }
  }

  /** Contents end to end. */
  public static byte[] joined(List<byte[]> contents) {
    ByteBuffer all = ByteBuffer.allocate(contents.stream().mapToInt(c -> c.length).sum());
    contents.forEach(all::put);
    return all.array();
  }

  /** Checksums of 0 say that there are none. Files in torch's old format have none anyway. */
  public static void forgetChecksums(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    if (content[0] != 'P' || content[1] != 'K') {
      return;
    }
    byte[] header = "PK\1\2".getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer zip = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i + 20 < content.length; i++) {
      if (Arrays.equals(content, i, i + 4, header, 0, 4)) {
        zip.putInt(i + 16, 0);
      }
    }
    Files.write(file, content);
  }

  @Override
  public String toString() {
    return name;
  }
}
