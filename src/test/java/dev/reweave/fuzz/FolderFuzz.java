package dev.reweave.fuzz;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Recall;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Folders of kinds that no file alone shows, in which one file was changed: universal checkpoints,
 * distributed ones of PyTorch and Megatron-Core, files of FSDP's and of Megatron-LM's ranks, models
 * with adapters in them and adapters alone, saved weights, with averages or without; read as the
 * command line reads them.
 */
public final class FolderFuzz {
  private static final Stores STORES = new Stores(MemoryFolders.configuration());

  /** Files whose content says what others mean; the rest has weights alone. */
  private static final Pattern READ =
      Pattern.compile(
          ".*/(fp32\\.pt|optimizer_state\\.pt|.*_states\\.pt|latest\\w*(\\.txt)?|\\.metadata|__0_0\\.distcp"
              + "|pytorch_model(_fsdp(_\\d)?_rank\\d)?\\.bin|model_world_size_\\d_rank_\\d\\.pt|common\\.pt"
              + "|model_optim_rng\\.pt|model\\.pt|\\d+\\.pt|.*\\.safetensors|.*\\.json)");

  /** Bytes of a word of what is no pickle. */
  private static final int WORD = 64;

  private static final int MOST_BYTES = 40 << 10;

  private static final String ALONE = "adapters/alone";

  /** A file, as a part of a torch archive if it is one. */
  private record Member(String path, String folder, Optional<TorchArchive> archive) {
    List<byte[]> words() {
      if (archive.isPresent()) {
        return Words.pickle(archive.get().pickle(), archive.get().pickles());
      }
      byte[] content = MemoryFolders.content(path);
      return path.endsWith(".metadata") ? Words.pickle(content, 1) : cut(content);
    }

    byte[] with(byte[] document) {
      return archive.map(a -> a.with(document)).orElse(document);
    }

    private static List<byte[]> cut(byte[] content) {
      List<byte[]> words = new ArrayList<>();
      for (int at = 0; at < content.length; at += WORD) {
        words.add(Arrays.copyOfRange(content, at, Math.min(content.length, at + WORD)));
      }
      return words;
    }
  }

  private static final List<Member> MEMBERS = members();
  private static final Documents DOCUMENTS =
      new Documents(MEMBERS.stream().map(Member::words).toList(), Words.opcodes());
  private static final ReadOptions FIRST = ReadOptions.defaults();
  private static final ReadOptions SECOND =
      new ReadOptions(Optional.empty(), Optional.of(Weights.MODEL), ReadOptions.Frozen.EXCLUDE);

  private FolderFuzz() {}

  /** Where the files of each folder are, by its name in memory. */
  private static Map<String, Path> places() throws IOException {
    Map<String, Path> places = new TreeMap<>();
    for (String name :
        List.of(
            "fixtures/uc_from_z1_fp16_w2/ckpt",
            "fixtures/uc_from_z3_frozen/ckpt",
            "fixtures/dcp_plain/ckpt",
            "fixtures/dcp_mesh_w4/ckpt",
            "fixtures/z3_bf16_w2_save16/ckpt/model16",
            "fixtures/base_pipeline_sharded_transformer",
            "fsdp/tensor_parallel/ckpt",
            "fsdp/experts/ckpt",
            "fsdp/fsdp1/ckpt",
            "slices/grid",
            "slices/uneven3",
            "adapters/zero-2/checkpoint",
            "trainers/ema-diffusers-zero2/ckpt/checkpoint-500",
            "trainers/ema-dit-pt/ckpt/checkpoints",
            "trainers/megatron-016-llama-tp2/ckpt")) {
      places.put(name, Fixtures.resource(name));
    }
    places.put("dcp/average", MadeCheckpoints.distributedAverage());
    places.put("fsdp/copies", MadeCheckpoints.wholeCopies());
    places.put("megatron/stages", MadeCheckpoints.megatronStages());
    places.put("megatron/experts", MadeCheckpoints.megatronExperts());
    for (String adapter : List.of("patterns", "dora", "layers", "experts")) {
      places.put("adapters/" + adapter, MadeCheckpoints.modelWithAdapter(adapter));
    }
    places.put(ALONE, MadeCheckpoints.adapterAlone("patterns"));
    return places;
  }

  private static List<Member> members() {
    try {
      Map<String, Path> places = places();
      List<Member> members = new ArrayList<>();
      for (Map.Entry<String, Path> place : places.entrySet()) {
        String folder = "/" + place.getKey() + "/";
        MemoryFolders.add(place.getKey(), place.getValue());
        for (String path : MemoryFolders.paths()) {
          byte[] content = MemoryFolders.content(path);
          if (path.startsWith(folder)
              && READ.matcher(path).matches()
              && content.length < MOST_BYTES) {
            boolean zip = !path.endsWith(".distcp") && content[0] == 'P' && content[1] == 'K';
            Path file = place.getValue().resolve(path.substring(folder.length()));
            Optional<TorchArchive> archive =
                zip ? Optional.of(new TorchArchive(file)) : Optional.empty();
            members.add(new Member(path, folder, archive));
          }
        }
      }
      return members;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads as defaults do, or the module's weights, or what this kind of folder alone can have. */
  private static ReadOptions options(String folder, int way) {
    if (way < 2) {
      return way == 0 ? FIRST : SECOND;
    }
    if (folder.equals("/" + ALONE + "/")) {
      return FIRST.with(AdapterChoice.PART, Optional.of(AdapterChoice.Part.ADAPTER));
    }
    return folder.startsWith("/adapters/")
        ? FIRST.with(AdapterChoice.MERGE_ADAPTER, AdapterChoice.Merging.MERGED)
        : FIRST.withWeightsNamed("ema");
  }

  static List<byte[]> seeds() {
    return DOCUMENTS.seeds().stream().filter(seed -> !Documents.isWhole(seed)).toList();
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    Member member = MEMBERS.get(DOCUMENTS.document(input));
    byte[] document = DOCUMENTS.edited(DOCUMENTS.document(input), input, 2);
    ReadOptions options = options(member.folder(), Documents.way(input, 3));
    byte[] before = MemoryFolders.content(member.path());
    MemoryFolders.put(member.path(), member.with(document));
    try {
      Promise.check(() -> TreeWalk.of(read(member.folder(), options)));
    } finally {
      MemoryFolders.put(member.path(), before);
    }
  }

  /** How many files are changed, one by each input. */
  static int files() {
    return MEMBERS.size();
  }

  /** Folders, by where they are in memory. */
  static List<String> folders() {
    return MEMBERS.stream().map(Member::folder).distinct().toList();
  }

  /** Reads a folder as it is now. */
  static Checkpoint read(String folder, ReadOptions options) {
    return new CheckpointReader(STORES, new InTurn())
        .read(Locations.of("memory:" + folder), options);
  }

  /** Reads on the calling thread, whose time is measured. */
  private static final class InTurn implements MetadataScanner {
    @Override
    public <T extends Serializable> List<T> scan(List<Request<T>> requests) {
      Recall recall = new Recall();
      return requests.stream()
          .map(request -> ThreadScanner.answer(STORES, request, recall))
          .toList();
    }
  }
}
