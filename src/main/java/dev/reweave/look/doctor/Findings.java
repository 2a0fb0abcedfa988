package dev.reweave.look.doctor;

import dev.reweave.checkpoint.quantized.Quantization;
import dev.reweave.common.ReweaveException;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Collects findings, each once; what stops one part of an examination does not stop the others. */
final class Findings {
  private final Set<Finding> found = new LinkedHashSet<>();
  private final Set<String> bad = new HashSet<>();

  void add(Finding finding) {
    found.add(finding);
    if (finding.severity().equals(Severity.PROBLEM)) {
      bad.add(finding.place());
    }
  }

  void addAll(Collection<Finding> findings) {
    findings.forEach(this::add);
  }

  void problem(String problem, String place, String remedy) {
    add(new Finding(Severity.PROBLEM, problem, place, remedy));
  }

  void warning(String problem, String place, String remedy) {
    add(new Finding(Severity.WARNING, problem, place, remedy));
  }

  void info(String fact, String place) {
    add(Finding.info(fact, place));
  }

  /** What a part of the examination gives; empty if it cannot go on, which is a finding. */
  <T> Optional<T> attempt(Supplier<T> part) {
    try {
      return Optional.of(part.get());
    } catch (ReweaveException e) {
      add(Finding.of(e));
      return Optional.empty();
    }
  }

  /** How weights are quantized: what a conversion that casts would refuse is a problem. */
  void addQuantization(Supplier<Quantization> told, String place) {
    Optional<Quantization> quantization = attempt(told);
    var unused =
        quantization.flatMap(
            q ->
                attempt(
                    () -> {
                      q.require(place);
                      return q;
                    }));
    quantization
        .filter(Quantization::isUnderstood)
        .ifPresent(q -> q.notes().forEach(note -> info(note, place)));
  }

  /** Whether something is wrong with a file, so that what follows from that need not be told. */
  boolean isBad(String uri) {
    return bad.contains(uri);
  }

  /** Whether something was found of which this is the text. */
  boolean tells(String problem) {
    return found.stream().anyMatch(f -> f.problem().equals(problem));
  }

  /** The worst first, then in the order in which they were found. */
  List<Finding> worstFirst() {
    return found.stream().sorted(Comparator.comparing(Finding::severity)).toList();
  }
}
