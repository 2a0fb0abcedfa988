package dev.reweave.look.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Locations;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** What the doctor says of a folder. */
record Complaints(List<Finding> findings) {
  static final Stores STORES = new Stores(new Configuration());

  static Complaints of(Path input) {
    return of(input.toString(), Optional.empty(), Depth.STRUCTURE);
  }

  static Complaints of(String input, Optional<String> base, Depth depth) {
    return new Complaints(
        new Doctor(STORES, new ThreadScanner(STORES))
            .examine(Locations.of(input), base.map(Locations::of), ReadOptions.defaults(), depth));
  }

  List<Finding> of(Severity severity) {
    return findings.stream().filter(f -> f.severity().equals(severity)).toList();
  }

  /** Requires that nothing is wrong. */
  Complaints none() {
    assertEquals(List.of(), of(Severity.PROBLEM));
    assertEquals(List.of(), of(Severity.WARNING));
    return this;
  }

  /** Requires that just one thing is a problem, and that these parts are said of it. */
  Complaints oneProblem(String... parts) {
    assertEquals(1, of(Severity.PROBLEM).size(), () -> of(Severity.PROBLEM).toString());
    return says(Severity.PROBLEM, parts);
  }

  Complaints says(Severity severity, String... parts) {
    assertTrue(
        of(severity).stream()
            .map(Finding::text)
            .anyMatch(text -> Arrays.stream(parts).allMatch(text::contains)),
        () -> severity + " " + Arrays.toString(parts) + " is not in " + findings);
    return this;
  }
}
