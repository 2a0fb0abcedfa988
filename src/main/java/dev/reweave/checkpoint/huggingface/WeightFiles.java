package dev.reweave.checkpoint.huggingface;

import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The files of one model's weights in one folder: what differs in the number of a shard alone, with
 * its index.
 *
 * @param stem what the names have in common, with the variant: {@code model.fp16}
 * @param suffix {@code .safetensors} or {@code .bin}
 * @param shards by name
 * @param indexes at most one, in a sound folder
 */
public record WeightFiles(
    String stem, String suffix, List<InputFile> shards, List<InputFile> indexes) {
  static final String SAFETENSORS = ".safetensors";
  private static final String BIN = ".bin";
  private static final Pattern SHARD =
      Pattern.compile("(?<stem>.+?)(?<number>-\\d{5}-of-\\d{5})?(?<suffix>\\.safetensors|\\.bin)");
  private static final Pattern INDEX =
      Pattern.compile(
          "(?<stem>.+?)(?<suffix>\\.safetensors|\\.bin)\\.index(\\.(?<variant>[^.]+))?\\.json");

  /** What a file is called that holds a state dict as {@code torch.save} writes it. */
  private static final Pattern TORCH_NAME =
      Pattern.compile("(diffusion_)?pytorch_model([-.].*)?\\.bin");

  /** Whether a file of this name holds weights that loaders look for. */
  public static boolean isWeights(String name) {
    return name.endsWith(SAFETENSORS) || TORCH_NAME.matcher(name).matches();
  }

  /** The weights among the files of one folder. */
  public static List<WeightFiles> among(List<InputFile> files) {
    Map<String, WeightFiles> groups = new TreeMap<>();
    for (InputFile file : files) {
      Matcher shard = SHARD.matcher(file.name());
      Matcher index = INDEX.matcher(file.name());
      if (isWeights(file.name()) && shard.matches()) {
        group(groups, shard.group("stem"), shard.group("suffix")).shards().add(file);
      } else if (index.matches()) {
        String variant = index.group("variant");
        String stem = index.group("stem") + (variant == null ? "" : "." + variant);
        group(groups, stem, index.group("suffix")).indexes().add(file);
      }
    }
    return List.copyOf(groups.values());
  }

  private static WeightFiles group(Map<String, WeightFiles> groups, String stem, String suffix) {
    return groups.computeIfAbsent(
        stem + suffix, name -> new WeightFiles(stem, suffix, new ArrayList<>(), new ArrayList<>()));
  }

  /** Whether a name is that of one shard of several. */
  static boolean isShard(String name) {
    Matcher matcher = SHARD.matcher(name);
    return matcher.matches() && matcher.group("number") != null;
  }

  /** Whether a file is an index of shards. */
  static boolean isIndex(String name) {
    return INDEX.matcher(name).matches();
  }

  /** One file, without its index if there is one. */
  static WeightFiles of(InputFile file) {
    String name = file.name();
    int dot = name.lastIndexOf('.');
    return new WeightFiles(name.substring(0, dot), name.substring(dot), List.of(file), List.of());
  }

  /** Whether they are what {@code torch.save} writes. */
  public boolean isTorch() {
    return suffix.equals(BIN);
  }

  /** Whether the names say that these are other weights of the model: {@code model.fp16}. */
  public boolean hasVariant() {
    return stem.indexOf('.') >= 0;
  }
}
