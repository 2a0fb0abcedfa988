package dev.reweave.convert;

import dev.reweave.common.Location;
import java.util.ArrayList;
import java.util.List;

/**
 * One conversion: of one checkpoint to one folder.
 *
 * @param input the checkpoint
 * @param output the folder for the result
 */
public record ConversionRequest(Location input, Location output, ConversionOptions options) {

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

  /** The part that decides what the result is, for comparison with other requests. */
  List<Object> substance() {
    List<Object> all = new ArrayList<>(List.of(input));
    all.addAll(options.substance());
    return all;
  }
}
