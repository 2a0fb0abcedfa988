package dev.reweave.convert;

import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.SpareNames;
import dev.reweave.plan.prepare.Strays;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What lies in the place of a result before there is one. */
public final class EarlierOutput {
  private static final int MOST_MANIFEST_BYTES = 256 << 20;

  private EarlierOutput() {}

  /** The manifest of a finished conversion to this folder. */
  public static Optional<Manifest> manifest(Stores stores, OutputFolder output) {
    Optional<InputFile> file = output.file(Manifest.FILE_NAME);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          Manifest.parse(stores.readAll(file.get(), MOST_MANIFEST_BYTES), file.get().uri()));
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      // A file of that name that is none of ours counts as any other file.
      return Optional.empty();
    }
  }

  /** What replacing a model takes away of it, and what it leaves, for the user. */
  static List<String> notes(Stores stores, ConversionRequest request, ConversionPlan plan) {
    if (request.options().existing() == ExistingOutput.REFUSE) {
      return List.of();
    }
    OutputFolder output = stores.outputFolder(request.output());
    List<String> present = output.names();
    // An earlier result of the same names may have had to give way to one before it.
    List<String> made =
        SpareNames.of(plan).stream().flatMap(p -> p.paths().stream()).distinct().toList();
    List<String> strays = Strays.among(present, made);
    List<String> earlier =
        manifest(stores, output).map(Manifest::ownNames).orElse(List.of()).stream()
            .filter(present::contains)
            .filter(name -> !made.contains(name) && !strays.contains(name))
            .filter(name -> !name.equals(Manifest.FILE_NAME))
            .toList();
    List<String> others = new ArrayList<>(Strays.others(present, made));
    others.removeAll(earlier);
    List<String> notes = new ArrayList<>();
    if (!strays.isEmpty()) {
      notes.add(
          "--overwrite removes what loaders would take in place of the result, or put on top of it: "
              + FirstNames.of(strays));
    }
    if (!earlier.isEmpty()) {
      notes.add("--overwrite removes what an earlier conversion made: " + FirstNames.of(earlier));
    }
    if (!others.isEmpty()) {
      notes.add(
          "weights of other names stay beside the result, and loaders that take every file take"
              + " them: "
              + FirstNames.of(others));
    }
    return notes;
  }
}
