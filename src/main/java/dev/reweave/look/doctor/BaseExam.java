package dev.reweave.look.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.Location;
import dev.reweave.target.base.BaseCheck;
import dev.reweave.target.base.BaseFolder;
import dev.reweave.target.base.Component;
import dev.reweave.target.base.ConfigFit;
import dev.reweave.target.base.Fitted;
import dev.reweave.target.mapping.Mapped;
import dev.reweave.target.mapping.Mapping;
import dev.reweave.target.mapping.Mappings;
import dev.reweave.target.mapping.ModelFacts;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Finds out which model the tensors' names are of, and compares them with a base's. */
final class BaseExam {

  /** Tensors under the names that a result would have. */
  private record Named(
      List<NamedTensor> tensors, Map<String, String> aliases, Optional<String> component) {}

  private final Findings findings;

  BaseExam(Findings findings) {
    this.findings = findings;
  }

  /** Says what the names of a checkpoint are recognised as, and compares the result with a base. */
  void compare(Location address, Checkpoint checkpoint, Optional<BaseFolder> base) {
    String place = address.uri();
    findings
        .attempt(() -> named(place, checkpoint, base))
        .flatMap(named -> named)
        .ifPresent(named -> base.ifPresent(b -> compare(place, named, b, Optional.empty())));
  }

  /**
   * Compares the weights of one folder.
   *
   * @param folder below the address; empty for the address itself
   */
  void compare(Location address, String folder, Map<String, TensorSpec> tensors, BaseFolder base) {
    if (!folder.isEmpty() && !base.components().containsKey(folder)) {
      findings.info("not compared: the base has no " + folder, address + "/" + folder);
      return;
    }
    if (folder.isEmpty()) {
      List<NamedTensor> placed = tensors.values().stream().map(BaseExam::anywhere).toList();
      findings
          .attempt(() -> named(address.uri(), placed, Map.of(), Map.of(), Optional.of(base)))
          .flatMap(named -> named)
          .ifPresent(named -> compare(address.uri(), named, base, Optional.empty()));
      return;
    }
    List<NamedTensor> placed = tensors.values().stream().map(BaseExam::anywhere).toList();
    Named named = new Named(placed, Map.of(), Optional.empty());
    compare(address + "/" + folder, named, base, Optional.of(folder));
  }

  /** A tensor of which nothing but name, type and shape matters. */
  private static NamedTensor anywhere(TensorSpec spec) {
    StorageRef storage =
        new StorageRef(
            0,
            spec.name(),
            0,
            spec.dtype(),
            spec.elements(),
            StorageRef.Endian.LITTLE,
            StorageRef.NO_CRC);
    return new NamedTensor(spec, StoredLayout.contiguous(storage, 0, spec.shape()));
  }

  private Optional<Named> named(String place, Checkpoint checkpoint, Optional<BaseFolder> base) {
    return named(
        place, checkpoint.tensors(), checkpoint.aliases(), checkpoint.arguments().values(), base);
  }

  /**
   * @param arguments what the trainer stored of the model's form
   */
  private Optional<Named> named(
      String place,
      List<NamedTensor> tensors,
      Map<String, String> aliases,
      Map<String, JsonNode> arguments,
      Optional<BaseFolder> base) {
    List<String> names = new ArrayList<>(tensors.stream().map(NamedTensor::name).toList());
    names.addAll(aliases.keySet());
    Supplier<ModelFacts> facts =
        () ->
            ModelFacts.of(
                arguments,
                base.flatMap(BaseFolder::config),
                () -> base.map(b -> names(b, names)).orElse(Set.of()));
    List<Mapping> fitting = Mappings.recognise(names, facts);
    if (fitting.size() > 1) {
      findings.warning(
          "the names of the tensors fit several mappings: "
              + fitting.stream().map(Mapping::name).collect(Collectors.joining(", ")),
          place,
          "choose one with --mapping NAME when you convert, or keep the names with --mapping none");
      return Optional.empty();
    }
    if (fitting.isEmpty()) {
      return Optional.of(new Named(tensors, aliases, Optional.empty()));
    }
    Mapping mapping = fitting.get(0);
    findings.info(
        "names recognised: mapping " + mapping.name() + " (" + mapping.description() + ")", place);
    Mapped mapped = mapping.apply(tensors, aliases, facts.get());
    mapped.notes().forEach(note -> findings.info(note, place));
    return Optional.of(new Named(mapped.tensors(), mapped.aliases(), mapping.component()));
  }

  private static Set<String> names(BaseFolder base, List<String> ofCheckpoint) {
    return base.component(Optional.empty(), Optional.empty(), ofCheckpoint, Optional.empty())
        .tensorNames();
  }

  private static List<TensorSpec> specs(List<NamedTensor> tensors) {
    return tensors.stream().map(NamedTensor::spec).toList();
  }

  private void compare(String place, Named named, BaseFolder base, Optional<String> wanted) {
    List<String> names = named.tensors().stream().map(NamedTensor::name).toList();
    Optional<Component> component =
        findings.attempt(
            () ->
                base.component(
                    base.isPipeline() ? wanted : Optional.empty(),
                    named.component(),
                    names,
                    Optional.empty()));
    component.ifPresent(
        c -> {
          c.notes().forEach(note -> findings.info(note, c.address().uri()));
          findings
              .attempt(
                  () -> {
                    Fitted fitted = base.fit(c, named.tensors(), named.aliases());
                    new BaseCheck(c).require(specs(fitted.tensors()), fitted.aliases(), place);
                    fitted.notes().forEach(note -> findings.info(note, place));
                    if (!c.hasWeights()) {
                      base.config(c)
                          .ifPresent(
                              config ->
                                  ConfigFit.requireWhole(
                                      config,
                                      c.address() + "/" + FolderExam.CONFIG,
                                      specs(fitted.tensors())));
                    }
                    return c;
                  })
              .filter(Component::hasWeights)
              .ifPresent(
                  same ->
                      findings.info(
                          "all tensors have the names and shapes of the base " + c.address(),
                          place));
        });
  }
}
