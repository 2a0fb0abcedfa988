package dev.reweave.soak;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** What is converted: small checkpoints of all kinds, into one file and into several. */
final class Cases {
  private static final String SIZE = "--max-shard-size";
  private static final long ELEMENTS = 400_000;

  /** Tensors of the one that has several parts of a multipart upload. */
  private static final int TENSORS = 4;

  private record Asked(String name, Path input, List<String> arguments) {}

  private Cases() {}

  private static Asked fixture(String name, String... arguments) {
    Path checkpoint = Fixtures.folder(name).resolve("ckpt");
    return new Asked(name, checkpoint.toAbsolutePath(), List.of(arguments));
  }

  private static List<Asked> asked(Path work) throws IOException {
    Path large = work.resolve("synthetic");
    var unused =
        SyntheticCheckpoint.write(
            large,
            3,
            2,
            IntStream.range(0, TENSORS)
                .mapToObj(
                    i -> new TensorSpec("layer" + i, DType.F32, Shape.of(ELEMENTS / 100, 100)))
                .toList(),
            17);
    Path hub = Fixtures.folder("z3_bf16_w2_llama").resolve("hf").toAbsolutePath();
    Path mapping = Fixtures.folder("tp2_z2_bf16_w4").resolve("mapping.json").toAbsolutePath();
    return List.of(
        fixture("z1_fp16_w2"),
        fixture("z2_bf16_w2", SIZE, "0.187KB"),
        fixture("z2_bf16_w2_tags", "--tag", "global_step1", SIZE, "0.187KB"),
        fixture("z3_fp16_w3", "--dtype", "bfloat16"),
        fixture("z3_fp32_w2_groups", SIZE, "0.219KB"),
        fixture("z3_bf16_w2_tied", "--dtype", "bfloat16", "--format", "bin"),
        fixture("z2_bf16_w3_rr", SIZE, "0.187KB", "--format", "bin"),
        fixture("z3_bf16_w2_llama", "--base", hub.toString(), "--mapping", "none", SIZE, "30KB"),
        fixture("z3_bf16_w2_llama_tied", "--dtype", "float16", SIZE, "10KB"),
        fixture("tp2_z2_bf16_w4", "--mapping", mapping.toString(), SIZE, "0.3KB"),
        fixture("moe_z2_bf16_w2", SIZE, "1KB"),
        fixture("pipe_z1_bf16_pp2"),
        fixture("dcp_fsdp2_w3", SIZE, "1KB"),
        fixture("cog_z3_bf16_w2", "--mapping", "none", SIZE, "10.54KB"),
        new Asked("parts", large, List.of("--chunk-size", "5MB")),
        new Asked("parts-and-shards", large, List.of("--chunk-size", "5MB", SIZE, "2MB")));
  }

  /** Converts all of them on the local disk, undisturbed: what they make is what is expected. */
  static List<Case> converted(Path work) throws IOException, InterruptedException {
    List<Case> cases = new ArrayList<>();
    Store local = FolderStore.local(work.resolve("expected"));
    for (Asked asked : asked(work)) {
      Site site = local.site("case-" + cases.size());
      List<String> arguments =
          new ArrayList<>(List.of("convert", "-i", asked.input().toString(), "-o", site.address()));
      arguments.addAll(asked.arguments());
      Command.Ended ended =
          Command.run(
              Command.reweave(site.settings(), arguments),
              Files.createDirectories(work).resolve("case.log"));
      if (ended.exitCode() != 0) {
        throw new IllegalStateException(asked.name() + " fails undisturbed:\n" + ended.said());
      }
      Model model = new Model(asked.name(), site.files());
      requireWhole(model);
      cases.add(new Case(asked.name(), asked.input(), asked.arguments(), model));
    }
    return List.copyOf(cases);
  }

  private static void requireWhole(Model model) {
    Reader.Seen seen = new Reader(List.of(model), Reader.Wanted.ALWAYS_A_MODEL).look(model.files());
    if (seen.state() != Reader.State.WHOLE) {
      throw new IllegalStateException(model.name() + " is no whole model: " + seen.why());
    }
  }
}
