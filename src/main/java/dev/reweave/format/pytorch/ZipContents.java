package dev.reweave.format.pytorch;

import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StorageRef.Endian;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The zip that torch.save writes since PyTorch 1.6: {@code NAME/data.pkl}, {@code NAME/byteorder}
 * since 2.1, and {@code NAME/data/KEY} for each storage ({@code torch/serialization.py}).
 */
final class ZipContents implements TorchContents {
  private record Unpickled(Object root, TorchGlobals globals) {}

  private final ZipArchive archive;
  private final ZipEntry pickle;
  private final Endian order;
  private Optional<Unpickled> unpickled = Optional.empty();

  private ZipContents(ZipArchive archive, Endian order) {
    this.archive = archive;
    this.pickle = archive.pickle();
    this.order = order;
  }

  static ZipContents read(BufferedFile file, ZipDirectory directory) throws IOException {
    ZipArchive archive = new ZipArchive(file, directory);
    return new ZipContents(archive, order(archive));
  }

  private Unpickled unpickled() throws IOException {
    if (unpickled.isEmpty()) {
      PickleBudget budget = new PickleBudget(archive.place(pickle));
      PickleInput input = PickleInput.of(archive.read(pickle), archive.place(pickle));
      TorchGlobals globals = new TorchGlobals(budget);
      Object root = new Unpickler(input, globals, budget).load();
      unpickled = Optional.of(new Unpickled(root, globals));
    }
    return unpickled.get();
  }

  private static Endian order(ZipArchive archive) throws IOException {
    Optional<ZipEntry> entry = archive.find("byteorder");
    if (entry.isEmpty()) {
      return Endian.LITTLE;
    }
    String order = new String(archive.read(entry.get()), StandardCharsets.ISO_8859_1);
    return switch (order) {
      case "little" -> Endian.LITTLE;
      case "big" -> Endian.BIG;
      default -> throw TorchFileFailures.noByteOrder(archive.place(entry.get()));
    };
  }

  /** A CRC-32 of 0 is one that was left out. */
  @Override
  public Optional<PickleId> pickle() throws IOException {
    archive.position(pickle);
    return pickle.crc32() == 0
        ? Optional.empty()
        : Optional.of(new PickleId(pickle.bytes(), pickle.crc32()));
  }

  @Override
  public Object root() throws IOException {
    return unpickled().root();
  }

  @Override
  public TorchGlobals globals() throws IOException {
    return unpickled().globals();
  }

  @Override
  public Stored locate(TorchTensor tensor) throws IOException {
    ZipEntry entry =
        archive
            .find("data/" + tensor.storageKey())
            .orElseThrow(
                () -> TorchFileFailures.missingStorage(tensor.storageKey(), archive.place(pickle)));
    int size = tensor.dtype().bytes();
    if (entry.bytes() % size != 0 || entry.bytes() / size != tensor.storageElements()) {
      throw TorchFileFailures.storageOfOtherLength(tensor, entry.bytes(), archive.place(entry));
    }
    long crc32 = entry.crc32() == 0 && entry.bytes() > 0 ? StorageRef.CRC_LEFT_OUT : entry.crc32();
    return new Stored(archive.position(entry), order, crc32);
  }
}
