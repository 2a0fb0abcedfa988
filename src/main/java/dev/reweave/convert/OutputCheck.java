package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.prepare.Strays;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.OutputContent;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Looks at what an output folder holds: refuses to harm it, and finds out what is done already. */
final class OutputCheck {
  private final Stores stores;
  private final ConversionRequest request;
  private final OutputFolder output;
  private List<String> earlierFiles = List.of();
  private Optional<Seen> seen = Optional.empty();

  /** What one look at the folder showed. */
  private record Seen(OutputContent content, Optional<Manifest> manifest) {}

  /**
   * Finds the output folder.
   *
   * @throws ReweaveException if it lies in the input or the base, or around them
   */
  OutputCheck(Stores stores, ConversionRequest request) {
    this.stores = stores;
    this.request = request;
    this.output = stores.outputFolder(request.output());
    requireApart("input", request.input());
    request.options().base().ifPresent(base -> requireApart("base", base.address()));
  }

  private void requireApart(String what, Location address) {
    if (address.holds(output.address())) {
      throw ConversionFailures.outputInside(what, output.address(), address);
    }
    if (output.address().holds(address)) {
      throw ConversionFailures.inputInside(what, address);
    }
  }

  OutputFolder output() {
    return output;
  }

  /** Looks once more: what is told from here on is of now. */
  void lookAgain() {
    seen = Optional.of(look());
  }

  private Seen seen() {
    if (seen.isEmpty()) {
      lookAgain();
    }
    return seen.orElseThrow();
  }

  private Seen look() {
    OutputContent content = output.content();
    Optional<Manifest> manifest =
        content.names().contains(Manifest.FILE_NAME)
            ? EarlierOutput.manifest(stores, output)
            : Optional.empty();
    return new Seen(content, manifest);
  }

  /** The manifest of a finished conversion to this folder. */
  private Optional<Manifest> manifest() {
    return seen().manifest();
  }

  /** What the last look showed. */
  OutputContent content() {
    return seen().content();
  }

  /** What this very conversion has written and is still whole; empty if it must run. */
  Optional<Manifest> upToDate(String fingerprint) {
    return manifest()
        .filter(m -> request.options().earlier() == Earlier.CONTINUE)
        .filter(m -> m.fingerprint().equals(fingerprint))
        .filter(this::isWhole);
  }

  /**
   * What the same command has made of the same input, whatever that holds by now and whichever
   * version did it; empty if there is nothing of the kind, or it is not whole.
   */
  Optional<Manifest> finished() {
    String input = Redacted.text(request.input().uri());
    return manifest()
        .filter(m -> m.input().path().equals(input))
        .filter(m -> m.command().equals(Fingerprint.command(request, m.reweave())))
        .filter(this::isWhole)
        // A run that was killed behind its manifest has left rubbish, which the next one removes.
        .filter(m -> content().locks() == 0 && new Journal(output).begun().isEmpty());
  }

  private boolean isWhole(Manifest manifest) {
    return hasDigests(manifest)
        && areThere(manifest.result().shards())
        && areThere(manifest.result().files())
        // Who loads the folder would get something else.
        && Strays.among(content().names(), manifest.fileNames()).isEmpty();
  }

  private boolean hasDigests(Manifest manifest) {
    return request.options().checks().digest() != FileDigest.Wanted.SHA256
        || manifest.result().shards().stream().noneMatch(shard -> shard.sha256().isEmpty());
  }

  private boolean areThere(List<Manifest.Shard> files) {
    return ParallelCalls.answers(files, this::isThere).stream().allMatch(there -> there);
  }

  private boolean isThere(Manifest.Shard shard) {
    return output.file(shard.name()).filter(f -> f.length() == shard.bytes()).isPresent();
  }

  /** Names of the files of the conversion that is there, as the last look showed it. */
  List<String> earlierFiles() {
    return earlierFiles;
  }

  /**
   * Refuses if files would be lost that nobody asked to replace. The result of the same command for
   * an input that has changed since is replaced without being asked.
   *
   * @param journal of a killed run of any conversion, whose published shards may go
   */
  void requireRoom(Journal journal) {
    Seen now = seen();
    List<String> names = new ArrayList<>(now.content().names());
    boolean staged = now.content().isStaged();
    boolean publishing = staged && journal.isPublishing();
    if (publishing) {
      journal.begun().ifPresent(plan -> names.removeIf(plan::publishes));
      journal.replacement().ifPresent(replacement -> names.removeAll(replacement.old()));
    }
    // Whoever began to remove these was asked to replace them.
    boolean isCut = staged && !publishing && now.manifest().isEmpty() && !names.isEmpty();
    List<String> removing = isCut ? journal.removing() : List.of();
    names.removeAll(removing);
    earlierFiles = now.manifest().map(Manifest::ownNames).orElse(removing);
    now.manifest()
        .filter(m -> request.options().earlier() == Earlier.CONTINUE)
        .filter(m -> m.command().equals(Fingerprint.command(request)))
        .ifPresent(m -> names.removeAll(m.ownNames()));
    if (!names.isEmpty() && request.options().existing() == ExistingOutput.REFUSE) {
      throw ConversionFailures.notEmpty(names, output.address());
    }
  }
}
