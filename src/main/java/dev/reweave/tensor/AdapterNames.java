package dev.reweave.tensor;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Names of tensors in a model into which PEFT has put an adapter's layers ({@code
 * peft/tuners/lora/layer.py}, {@code peft/utils/other.py}). They are what it has in memory, which
 * neither it nor another library loads.
 */
public final class AdapterNames {
  /** Attributes under which its layers keep the module that they stand around. */
  private static final Set<String> WRAPPED = Set.of("base_layer", "original_module");

  /** A layer in a module of its own: {@code TrainableTokensWrapper}. */
  private static final String TOKENS = "token_adapter";

  private static final Pattern KEPT =
      Pattern.compile("(?:.*\\.)?(?:base_layer|original_module)\\..*");

  private static final Pattern IN_FILE =
      Pattern.compile("(?:.*\\.)?lora_(?:(?:A|B)\\.weight|embedding_(?:A|B)|magnitude_vector)");

  private static final Pattern BIAS = Pattern.compile("(?:.*\\.)?bias");

  private final List<String> others = new ArrayList<>();
  private final List<AdapterName> trained = new ArrayList<>();
  private final NavigableSet<String> adapters = new TreeSet<>();
  private final Set<String> modules = new TreeSet<>();

  private AdapterNames(Collection<String> names) {
    for (String name : names) {
      Optional<AdapterName> parsed = AdapterName.parse(name);
      if (parsed.isEmpty()) {
        others.add(name);
      } else {
        trained.add(parsed.get());
        adapters.add(parsed.get().adapter());
        modules.add(parsed.get().module());
      }
    }
  }

  /** What an adapter's are among names of all tensors. */
  public static AdapterNames among(Collection<String> names) {
    return new AdapterNames(names);
  }

  /** Names of the adapters, of which PEFT's own is {@code default}. */
  public NavigableSet<String> adapters() {
    return Collections.unmodifiableNavigableSet(adapters);
  }

  /** How many tensors are an adapter's. */
  public int count() {
    return trained.size();
  }

  /** Names of the tensors that are no adapter's. */
  public List<String> others() {
    return Collections.unmodifiableList(others);
  }

  /**
   * Whether adapters alone were saved: biases beside them were trained, as {@code bias} of their
   * config says.
   */
  public boolean areAlone() {
    return trained.stream().anyMatch(AdapterName::isOfLayer)
        && others.stream().allMatch(AdapterNames::isBias);
  }

  /** Whether rows of an embedding were trained. */
  public boolean hasTokens() {
    return trained.stream().anyMatch(AdapterName::isOfTokens);
  }

  /** Whether all names begin as {@code get_peft_model} makes them. */
  public boolean arePrefixed() {
    return trained.stream().allMatch(t -> t.module().startsWith(AdapterName.PREFIX))
        && others.stream().allMatch(name -> name.startsWith(AdapterName.PREFIX));
  }

  /** Whether one of these is called as in the file of an adapter. */
  public static boolean anyInFile(Collection<String> names) {
    return names.stream().anyMatch(name -> IN_FILE.matcher(name).matches());
  }

  /** Whether a name is that of a bias. */
  public static boolean isBias(String name) {
    return BIAS.matcher(name).matches();
  }

  /** Whether an adapter stands around a module. */
  public boolean isModule(String path) {
    return modules.contains(path);
  }

  /** The name of what is no adapter's in the adapter's file. */
  public static String inFile(String name) {
    return AdapterName.prefixed(name);
  }

  /** The name that a tensor, or a module, has in the model without adapters. */
  public String inBase(String name) {
    String[] parts = name.split("\\.", -1);
    List<String> kept = new ArrayList<>();
    StringBuilder path = new StringBuilder();
    for (String part : parts) {
      boolean wrapped = WRAPPED.contains(part) && modules.contains(path.toString());
      path.append(path.length() == 0 ? "" : ".").append(part);
      boolean layer = part.equals(TOKENS) && modules.contains(path.toString());
      if (!wrapped && !layer) {
        kept.add(part);
      }
    }
    String plain = String.join(".", kept);
    return plain.startsWith(AdapterName.PREFIX)
        ? plain.substring(AdapterName.PREFIX.length())
        : plain;
  }

  /**
   * What can be done with a model that has an adapter's layers in it; empty if these are names of
   * something else, an adapter alone among it.
   *
   * @param names of all tensors
   */
  public static Optional<String> inModel(Collection<String> names) {
    AdapterNames found = among(names);
    boolean isThere =
        found.count() > 0 && found.others.stream().anyMatch(n -> KEPT.matcher(n).matches());
    return Optional.of(
            "this is a model with the layers of an adapter in it, under the names that PEFT has in"
                + " memory ("
                + found.count()
                + " of "
                + names.size()
                + " tensors are the adapter's): --part adapter makes the adapter alone, as PEFT"
                + " loads it, --part base the model without what the adapter trained, and"
                + " --merge-adapter one model of both")
        .filter(text -> isThere);
  }
}
