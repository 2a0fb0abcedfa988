package dev.reweave.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The fixtures that hold their weights twice: as fp32 masters, and in the module. */
public final class ProvableFixtures {
  /** By name, each; a fixture that comes along must be added here or to the others. */
  private static final List<String> FLAT =
      List.of(
          "cog_z2_bf16_w2",
          "legacy_z2_fp16_w3",
          "moe_z1_fp16_w2",
          "moe_z2_bf16_w2",
          "pipe_z1_bf16_pp2",
          "sat_z2_bf16_w2",
          "tp2_z1_fp16_w2",
          "tp2_z2_bf16_w4",
          "z1_bf16_w2",
          "z1_bf16opt_w2",
          "z1_fp16_w2",
          "z1_fp16_w2_frozen",
          "z2_bf16_w2",
          "z2_bf16_w2_empty",
          "z2_bf16_w2_frozen",
          "z2_bf16_w2_frozen_excl",
          "z2_bf16_w2_lora",
          "z2_bf16_w2_tags",
          "z2_bf16_w2_tied",
          "z2_bf16_w3_rr",
          "z2_fp16_w3_groups",
          "z2_fp32_w1",
          "z2_fp32_w2_bn",
          "z2_fp32_w2_sgd");

  private static final List<String> UNIVERSAL = List.of("uc_from_z1_fp16_w2", "uc_from_z2_bf16_w2");

  private ProvableFixtures() {}

  /** Checkpoints whose ranks lay their masters end to end: ZeRO-1 and 2. */
  public static List<String> flat() {
    return FLAT;
  }

  /** Universal checkpoints, with a file for each parameter's master. */
  public static List<String> universal() {
    return UNIVERSAL;
  }

  /** Both. */
  public static List<String> all() {
    return Stream.concat(FLAT.stream(), UNIVERSAL.stream()).toList();
  }

  /** All fixtures there are whose names are not those of a kind without a second copy. */
  public static List<String> found() throws IOException {
    try (Stream<Path> folders = Files.list(Fixtures.resource("fixtures"))) {
      return folders
          .map(f -> f.getFileName().toString())
          .filter(n -> !n.matches("z0_.*|pipe_z0_.*|.*z3_.*|dcp_.*|base_.*|corrupt|ds0198"))
          .sorted()
          .toList();
    }
  }

  /** The folder of the step that a copy of a fixture's checkpoint is read from. */
  public static Path step(Path checkpoint) throws IOException {
    Path latest = checkpoint.resolve("latest");
    return checkpoint.resolve(
        Files.readString(Files.exists(latest) ? latest : checkpoint.resolve("latest_universal"))
            .strip());
  }

  /** A conversion of a fixture's checkpoint, or of a copy, with the mapping that it comes with. */
  public static Converting converting(String fixture, Path checkpoint, Path output) {
    Path mapping = Fixtures.folder(fixture).resolve("mapping.json");
    Converting converting = Converting.between(checkpoint, output).type("keep");
    return Files.exists(mapping) ? converting.mapping(mapping.toString()) : converting;
  }
}
