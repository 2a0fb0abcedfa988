package dev.reweave.checkpoint.adapter;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.AdapterName;
import dev.reweave.tensor.AdapterNames;
import dev.reweave.tensor.MovedLayout;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * An adapter that was saved alone, to be put into the model that it was trained on, as PEFT does
 * when it loads one ({@code set_peft_model_state_dict} in {@code peft/utils/save_and_load.py}).
 */
final class LoneAdapter {
  private static final String WEIGHT = ".weight";

  private final Checkpoint checkpoint;

  /** Under the names in memory; what is no layer's is a module that was trained. */
  private final Map<String, NamedTensor> tensors = new LinkedHashMap<>();

  /** Names in the base of the modules that layers stand around. */
  private final Set<String> modules = new TreeSet<>();

  /** Names in the base of the tensors of modules in whose place others were trained. */
  private final Set<String> replaced = new TreeSet<>();

  /** By name in the base, what is no part of a layer or of such a module, and was trained. */
  private final Map<String, NamedTensor> changed = new TreeMap<>();

  /**
   * @param checkpoint under the names of an adapter's file, or under those in memory
   * @param adapter its name, for those that the file leaves out
   * @param isSaved whether a tensor of the base is of a module that was trained in the place of its
   *     own: {@code modules_to_save}
   */
  LoneAdapter(Checkpoint checkpoint, String adapter, Predicate<String> isSaved) {
    this.checkpoint = checkpoint;
    Map<String, NamedTensor> others = new LinkedHashMap<>();
    AdapterParts.byName(checkpoint)
        .forEach(
            (name, tensor) ->
                AdapterName.parse(name)
                    .map(parsed -> name)
                    .or(() -> AdapterName.inMemory(name, adapter))
                    .ifPresentOrElse(
                        memory -> tensors.put(memory, tensor), () -> others.put(name, tensor)));
    AdapterNames names = AdapterNames.among(tensors.keySet());
    for (String name : tensors.keySet()) {
      AdapterName parsed = AdapterName.parse(name).orElseThrow();
      if (!parsed.isOfModule()) {
        modules.add(names.inBase(parsed.module()));
      } else if (parsed.adapter().equals(adapter)) {
        replaced.add(names.inBase(parsed.module() + "." + parsed.rest()));
      }
    }
    others.forEach(
        (name, tensor) -> {
          String own = names.inBase(name);
          if (isSaved.test(own)) {
            replaced.add(own);
            tensors.put(AdapterName.ofModule(own, adapter), tensor);
          } else {
            changed.put(own, tensor);
          }
        });
  }

  /** Names of tensors that the base should have. */
  Collection<String> wanted() {
    Set<String> wanted = new TreeSet<>(replaced);
    wanted.addAll(changed.keySet());
    modules.forEach(module -> wanted.add(module + WEIGHT));
    return wanted;
  }

  /** What the adapter is for and a model does not have. */
  List<String> missingIn(Checkpoint base) {
    NavigableSet<String> there = new TreeSet<>(base.names());
    List<String> missing = new ArrayList<>();
    for (String module : modules) {
      String prefix = module.isEmpty() ? "" : module + ".";
      if (Optional.ofNullable(there.ceiling(prefix)).filter(n -> n.startsWith(prefix)).isEmpty()) {
        missing.add(module);
      }
    }
    Stream.concat(replaced.stream(), changed.keySet().stream())
        .filter(name -> !there.contains(name))
        .forEach(missing::add);
    return missing;
  }

  /** The model with the adapter's layers in it, under the names that PEFT has in memory. */
  Checkpoint in(Checkpoint base) {
    List<InputFile> files = new ArrayList<>(base.files());
    files.addAll(checkpoint.files());
    // What is tied to another is loaded into both.
    Map<String, NamedTensor> others = new LinkedHashMap<>();
    changed.forEach((name, tensor) -> others.put(base.aliases().getOrDefault(name, name), tensor));
    List<NamedTensor> all = new ArrayList<>();
    for (NamedTensor tensor : base.tensors()) {
      NamedTensor other = others.get(tensor.name());
      all.add(other == null ? tensor : behind(base, other, tensor.name()));
    }
    tensors.forEach((name, tensor) -> all.add(behind(base, tensor, name)));
    Remarks remarks = checkpoint.remarks();
    List<String> notes = new ArrayList<>(remarks.notes());
    if (!changed.isEmpty()) {
      notes.add(
          Counted.of(changed.size(), "tensor")
              + " of the base taken from the adapter, which was saved with them: "
              + FirstNames.of(List.copyOf(changed.keySet())));
    }
    List<Caution> cautions = new ArrayList<>(remarks.cautions());
    cautions.addAll(base.cautions());
    return new Checkpoint(
        checkpoint.source(),
        files,
        all,
        base.aliases(),
        base.metadata(),
        new Remarks(notes, cautions, remarks.clientState(), remarks.notTaken(), remarks.order()),
        checkpoint.arguments());
  }

  /** A tensor of the adapter, whose files stand behind those of the base. */
  private static NamedTensor behind(Checkpoint base, NamedTensor tensor, String name) {
    NamedTensor named = tensor.renamed(name);
    return new NamedTensor(named.spec(), MovedLayout.shifted(named.layout(), base.files().size()));
  }
}
