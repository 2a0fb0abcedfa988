package dev.reweave.convert;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Safeguards;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the user asks to be converted.
 *
 * @param input address of the checkpoint
 * @param output address of the folder for the result
 * @param checks of the result; not part of what decides its bytes
 */
public record ConversionRequest(
    String input,
    String output,
    ReadOptions reading,
    PlanOptions planning,
    MappingChoice mapping,
    Optional<BaseChoice> base,
    Proving proving,
    Checks checks,
    ExistingOutput existing,
    Earlier earlier) {

  /** What is known of the weights before they are published. */
  public enum Proving {
    /** That they are what the files hold. */
    NONE,
    /** That also a sample of the checkpoint's second copy of the weights is the same. */
    SAMPLE,
    /** That also the checkpoint's second copy of the weights, if there is one, is the same. */
    SECOND_COPY;

    /** What results that are finished by default were called before a sample was compared. */
    String inFingerprints() {
      return this == SAMPLE ? "CHECKSUMS" : name();
    }
  }

  /** What counts of an earlier run of the same conversion. */
  public enum Earlier {
    /** Its finished files; all of it if it ended well. */
    CONTINUE,
    /** Nothing. */
    IGNORE
  }

  /** What happens if the output folder is not empty. */
  public enum ExistingOutput {
    REFUSE,
    REPLACE
  }

  /** A conversion without a base, to names that the tensors themselves suggest. */
  public ConversionRequest(
      String input,
      String output,
      ReadOptions reading,
      PlanOptions planning,
      ExistingOutput existing,
      Earlier earlier) {
    this(
        input,
        output,
        reading,
        planning,
        MappingChoice.AUTO,
        Optional.empty(),
        Proving.SAMPLE,
        Checks.DEFAULTS,
        existing,
        earlier);
  }

  /** Where its tasks read and write. */
  public List<String> addresses() {
    List<String> addresses = new ArrayList<>(List.of(input, output));
    base.ifPresent(b -> addresses.add(b.address()));
    return List.copyOf(addresses);
  }

  /** The same with another address for the result. */
  public ConversionRequest to(String address) {
    return with(address, reading);
  }

  /** The same for one saved step, with its own address for the result. */
  public ConversionRequest ofStep(String tag, String address) {
    return with(address, reading.withTag(tag));
  }

  /** The same, read with these safeguards. */
  public ConversionRequest withSafeguards(Safeguards safeguards) {
    return with(output, reading.withSafeguards(safeguards));
  }

  /** The same under names that these rules give. */
  ConversionRequest withMapping(MappingChoice rules) {
    return new ConversionRequest(
        input, output, reading, planning, rules, base, proving, checks, existing, earlier);
  }

  private ConversionRequest with(String address, ReadOptions read) {
    return new ConversionRequest(
        input, address, read, planning, mapping, base, proving, checks, existing, earlier);
  }

  /** The part that decides what the result is, for comparison with other requests. */
  List<Object> substance() {
    return List.of(
        input,
        reading.withSafeguards(Safeguards.DEFAULT),
        planning.withSizes(planning.maxShardBytes(), 1 << 20),
        mapping,
        base,
        proving.inFingerprints());
  }
}
