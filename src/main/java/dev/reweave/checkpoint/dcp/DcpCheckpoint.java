package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.TestedVersions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.PickleFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Reads what {@code torch.distributed.checkpoint} saved, as FSDP2, torchtitan, Accelerate and
 * Megatron-Core use it: each tensor in chunks, which many files hold.
 */
final class DcpCheckpoint {
  private static final String FRAMEWORK = "PyTorch distributed checkpoint";

  private final DcpFolder folder;
  private final DcpMetadata metadata;

  private DcpCheckpoint(DcpFolder folder, DcpMetadata metadata) {
    this.folder = folder;
    this.metadata = metadata;
  }

  /**
   * Reads the structure of a checkpoint.
   *
   * @throws ReweaveException if it is not whole, of a kind that is not read, or cannot give what is
   *     asked for
   */
  static Checkpoint read(
      Stores stores, MetadataScanner scanner, DcpFolder folder, ReadOptions options) {
    refuse(folder, options);
    Weights wanted = options.weights().orElse(Weights.MODEL);
    try (RandomAccess access = stores.open(folder.metadata())) {
      DcpMetadata metadata = new DcpMetadata(PickleFile.read(access), folder.files());
      String place = folder.address().uri();
      TensorChoice choice =
          options.wantsAverage()
              ? AverageChoice.of(metadata, place)
              : TensorChoice.of(metadata, wanted, place);
      return new DcpCheckpoint(folder, metadata)
          .read(scanner, wanted, choice, CommonState.read(stores, folder, metadata));
    } catch (IOException e) {
      throw Stores.unreadable(folder.metadata().location(), e);
    }
  }

  private static void refuse(DcpFolder folder, ReadOptions options) {
    if (!options.wantsAverage()) {
      options.requireNoKey(folder.address().uri());
    }
    if (options.frozen() == ReadOptions.Frozen.EXCLUDE) {
      throw DcpFailures.frozenNotTold(folder.address().uri());
    }
  }

  private Checkpoint read(
      MetadataScanner scanner, Weights wanted, TensorChoice choice, CommonState common) {
    if (choice.names().isEmpty()) {
      throw DcpFailures.noWeights(
          choice.left().stream().findFirst().map(NotTaken::text), folder.metadata().uri());
    }
    List<DcpTensor> tensors =
        metadata.tensors(choice.names().stream().map(choice.stored()::get).toList());
    List<DcpTensor> buckets = metadata.tensors(choice.buckets());
    Optional<BucketSearch> search =
        buckets.isEmpty()
            ? Optional.empty()
            : Optional.of(new BucketSearch(tensors, buckets, folder.address().uri()));
    Map<String, List<StoredChunk>> byFile =
        chunksByFile(Stream.concat(tensors.stream(), buckets.stream()).toList());
    ChunkLayouts layouts = locate(scanner, byFile);
    List<InputFile> files = new ArrayList<>();
    byFile.keySet().forEach(name -> files.add(folder.files().get(name)));
    Optional<BucketMasters> masters = search.map(s -> s.proven(layouts, scanner, files));
    List<NamedTensor> all = named(choice, tensors, layouts, masters);
    SharedChunks named =
        masters.isPresent() ? new SharedChunks(all, Map.of()) : SharedChunks.of(all, tensors);
    List<String> notes = new ArrayList<>(folder.notes());
    notes.addAll(choice.notes());
    notes.addAll(common.notes());
    Checkpoint.Source source =
        new Checkpoint.Source(FRAMEWORK, "", -1, 1, "", folder.tag(), folder.tags(), wanted);
    files.addAll(common.files());
    List<Caution> cautions =
        TestedVersions.distributedFormat(metadata.version(), folder.metadata().uri()).stream()
            .toList();
    return new Checkpoint(
        source,
        files,
        named.tensors(),
        named.aliases(),
        Map.of(),
        new Remarks(
            notes,
            cautions,
            List.of(),
            left(choice),
            search.isPresent() ? Remarks.Order.INFERRED : Remarks.Order.STATED),
        common.arguments());
  }

  /** Tensors that are not of the model, and files of which the metadata know nothing. */
  private List<NotTaken> left(TensorChoice choice) {
    List<NotTaken> left = new ArrayList<>(choice.left());
    Set<String> named = metadata.filesNamed();
    folder
        .files()
        .forEach(
            (name, file) -> {
              if (DcpFolder.holdsChunks(name) && !named.contains(name)) {
                left.add(
                    new NotTaken(
                        name,
                        NotTaken.UNCOUNTED,
                        "not read: " + DcpFolder.METADATA + " names nothing in it",
                        file.uri()));
              }
            });
    return left;
  }

  /** Chunks by file name, and in a file by position. */
  private static Map<String, List<StoredChunk>> chunksByFile(List<DcpTensor> tensors) {
    Map<String, List<StoredChunk>> byFile = new TreeMap<>();
    for (DcpTensor tensor : tensors) {
      for (DcpTensor.Chunk chunk : tensor.chunks()) {
        byFile.computeIfAbsent(chunk.file(), f -> new ArrayList<>()).add(chunk.stored());
      }
    }
    byFile.values().forEach(c -> c.sort(Comparator.comparingLong(StoredChunk::start)));
    return byFile;
  }

  private ChunkLayouts locate(MetadataScanner scanner, Map<String, List<StoredChunk>> byFile) {
    List<MetadataScanner.Request<ChunkProbe.Found>> requests = new ArrayList<>();
    byFile.forEach(
        (name, chunks) ->
            requests.add(
                new MetadataScanner.Request<>(
                    folder.files().get(name), requests.size(), new ChunkProbe(chunks))));
    List<ChunkProbe.Found> answers = scanner.scan(requests);
    Map<StoredChunk, StoredLayout> found = new HashMap<>();
    int file = 0;
    for (List<StoredChunk> chunks : byFile.values()) {
      List<StoredLayout> layouts = answers.get(file++).layouts();
      for (int i = 0; i < layouts.size(); i++) {
        found.put(chunks.get(i), layouts.get(i));
      }
    }
    return new ChunkLayouts(found);
  }

  private List<NamedTensor> named(
      TensorChoice choice,
      List<DcpTensor> tensors,
      ChunkLayouts layouts,
      Optional<BucketMasters> masters) {
    List<NamedTensor> named = new ArrayList<>();
    for (int i = 0; i < tensors.size(); i++) {
      String name = choice.names().get(i).substring(choice.prefix().length());
      DcpTensor tensor = tensors.get(i);
      try {
        named.add(
            masters.isPresent()
                ? masters.get().tensor(i, name)
                : new NamedTensor(
                    TensorSpec.ofTorch(name, tensor.dtype(), tensor.shape()), layouts.of(tensor)));
      } catch (IllegalArgumentException e) {
        throw DcpFailures.chunksDoNotFit(tensor.name(), folder.metadata().uri(), e);
      }
    }
    return named;
  }
}
