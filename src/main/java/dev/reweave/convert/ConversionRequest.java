package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
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

    private static final Option<Boolean> PROVE =
        Option.flag("prove", false, true)
            .under(Option.Theme.CHECKS)
            .help(
                "Compare all fp32 masters with the module's own weights, bit for bit, and publish"
                    + " nothing if they are not the same; without it a sample of them is compared.")
            .more(": see [the proof](trust.md#the-proof)");

    private static final Option<Boolean> NO_PROOF =
        Option.flag("no-proof", false, true)
            .under(Option.Theme.CHECKS)
            .help(
                "Do not even compare the sample of the weights that is compared by default with"
                    + " the module's own.");

    /** Its options. */
    public static final List<Option<?>> OPTIONS = List.of(PROVE, NO_PROOF);

    /** What both say, in manifests. */
    static final Option<Proving> RECORDED =
        Option.of("proving", "", "sample", Proving::parse).recordedAs("proving");

    /**
     * What was given.
     *
     * @throws IllegalArgumentException if both were
     */
    public static Proving of(Options options) {
      if (options.of(PROVE) && options.of(NO_PROOF)) {
        throw new IllegalArgumentException("--prove and --no-proof exclude each other");
      }
      return options.of(PROVE) ? SECOND_COPY : options.of(NO_PROOF) ? NONE : SAMPLE;
    }

    /** Before samples were compared, what is one now was called by what else is checked. */
    private static Proving parse(String text) {
      return text.equals("checksums") ? SAMPLE : Option.among(List.of(values()), text);
    }

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
