package dev.reweave.convert;

import dev.reweave.manifest.Versions;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.plan.SmallFile;
import dev.reweave.storage.InputFile;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells whether two conversions would write the same bytes. */
public final class Fingerprint {
  private Fingerprint() {}

  /**
   * Of what a plan reads (files with sizes, times and ETags), what it writes (names and headers),
   * how tensors are made of others, and the version that runs it.
   */
  public static String of(ConversionRequest request, Preparation.Prepared prepared) {
    ConversionPlan plan = prepared.plan();
    MessageDigest digest = sha256();
    add(digest, Versions.reweave());
    add(digest, request.options().reading().weightsNamed().toString());
    add(digest, request.options().reading().adapter().toString());
    add(digest, prepared.mapping().map(m -> m.rules().toString()).orElse(""));
    add(digest, request.options().proving().inFingerprints());
    plan.sources().forEach(file -> add(digest, file));
    plan.witness().files().stream()
        .filter(file -> !plan.sources().contains(file))
        .forEach(file -> add(digest, file));
    for (PlannedFile file : plan.files()) {
      add(digest, file.path());
      for (Segment segment : file.segments()) {
        if (segment instanceof Segment.Literal literal) {
          digest.update(literal.bytes());
        } else if (segment instanceof Segment.OfTensor ofTensor) {
          add(digest, ofTensor.spec().toString());
          if (ofTensor.to() - ofTensor.from() < ofTensor.spec().units()) {
            add(digest, ofTensor.from() + " to " + ofTensor.to());
          }
        }
      }
    }
    for (SmallFile file : plan.smallFiles()) {
      add(digest, file.path());
      digest.update(file.content());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Of what the user asked for, whatever the input holds. */
  public static String command(ConversionRequest request) {
    return command(request, Versions.reweave());
  }

  /** Of what the user asked some version for. */
  public static String command(ConversionRequest request, String version) {
    MessageDigest digest = sha256();
    add(digest, version);
    add(digest, request.substance().toString());
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void add(MessageDigest digest, InputFile file) {
    add(digest, file.uri() + "\n" + file.length() + "\n" + file.modified() + "\n" + file.etag());
  }

  private static void add(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update(Integer.toString(bytes.length).getBytes(StandardCharsets.UTF_8));
    digest.update((byte) ':');
    digest.update(bytes);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
