package dev.reweave.job;

import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedShard;
import dev.reweave.report.Versions;
import dev.reweave.storage.InputFile;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells whether two conversions would write the same bytes. */
final class Fingerprint {
  private Fingerprint() {}

  /**
   * Of what a plan reads (files with sizes and times), what it writes (names and headers), and the
   * version that runs it.
   */
  static String of(ConversionRequest request, ConversionPlan plan) {
    MessageDigest digest = sha256();
    add(digest, command(request));
    for (InputFile file : plan.files()) {
      add(digest, file.uri() + "\n" + file.length() + "\n" + file.modified());
    }
    for (PlannedShard shard : plan.shards()) {
      add(digest, shard.fileName());
      digest.update(shard.header().bytes());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Of what the user asked for, whatever the input holds. */
  static String command(ConversionRequest request) {
    MessageDigest digest = sha256();
    add(digest, Versions.reweave());
    add(digest, request.input());
    add(digest, request.reading().toString());
    add(digest, String.valueOf(request.planning().dtype()));
    add(digest, request.planning().maxShardBytes() + " " + request.planning().weightsName());
    return HexFormat.of().formatHex(digest.digest());
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
