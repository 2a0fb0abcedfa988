package dev.reweave.look.report;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.quantized.Quantization;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.Location;
import dev.reweave.common.Progress;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.plan.prepare.Renaming;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.target.base.BaseFolder;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Looks at what an address holds: reads metadata alone, and needs no Spark. */
public final class Inspector {
  private static final String SAFETENSORS = ".safetensors";

  private final Stores stores;
  private final Progress progress;

  /**
   * Looks into these stores.
   *
   * @param progress told how far it has come
   */
  public Inspector(Stores stores, Progress progress) {
    this.stores = stores;
    this.progress = progress;
  }

  /**
   * Inspects a checkpoint, a model or a pipeline.
   *
   * @param mapping whose names are shown; empty for those in the files
   * @throws dev.reweave.common.ReweaveException if it cannot be read
   */
  public Inspection inspect(
      Location address, ReadOptions options, Optional<MappingChoice> mapping) {
    Stores guarded = stores.guarded(address, options.safeguards());
    if (mapping.isEmpty()
        && stores.isFolder(address)
        && stores.file(address.child(BaseFolder.MODEL_INDEX)).isPresent()) {
      Map<String, InputFile> shards = new TreeMap<>(guarded.tree(address));
      shards.keySet().removeIf(name -> !name.endsWith(SAFETENSORS));
      return Inspection.of(address.uri(), headers(guarded, shards));
    }
    MappingChoice choice = mapping.orElse(MappingChoice.NONE);
    Checkpoint checkpoint =
        new CheckpointReader(stores, new ThreadScanner(stores, progress))
            .read(address, Renaming.reading(stores, options, choice));
    List<String> quantized = Quantization.of(guarded, checkpoint).notes();
    if (mapping.isEmpty()) {
      return Inspection.of(
          address.uri(), checkpoint, List.of(), joined(checkpoint.notes(), quantized));
    }
    Renaming renaming = Renaming.of(stores, checkpoint, choice);
    return Inspection.of(
        address.uri(), checkpoint, renaming.rows(), joined(renaming.notes(), quantized));
  }

  private static List<String> joined(List<String> notes, List<String> others) {
    return Stream.concat(notes.stream(), others.stream()).toList();
  }

  private static Map<String, SafetensorsHeader> headers(
      Stores stores, Map<String, InputFile> shards) {
    Map<String, SafetensorsHeader> headers = new LinkedHashMap<>();
    shards.forEach(
        (path, shard) -> {
          try (RandomAccess access = stores.open(shard)) {
            headers.put(path, SafetensorsHeader.read(access));
          } catch (IOException e) {
            throw Stores.unreadable(shard.location(), e);
          }
        });
    return headers;
  }
}
