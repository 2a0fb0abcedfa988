package dev.reweave.target.base;

import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What other shapes, or tensors of one side alone, say of the two models. */
final class ShapeHints {
  private static final String COGVIDEOX_PATCHES = "patch_embed.proj.weight";
  private static final String OFS = "ofs_embedding.";

  // Where the input's channels come in.
  private static final Pattern FIRST_LAYER =
      Pattern.compile(
          "(?:.*\\.)?(?:patch_embed\\.proj|patch_embedding|x_embedder(?:\\.proj)?|img_in|conv_in"
              + "|proj_in|pos_embed\\.proj)\\.weight");

  private static final Pattern VOCABULARY =
      Pattern.compile(
          "(?:.*\\.)?(?:embed_tokens|word_embeddings|tok_embeddings|token_embedding|wte|embed_in"
              + "|embed_out|lm_head|shared|output)\\.(?:weight|bias)");

  private final Difference difference;

  ShapeHints(Difference difference) {
    this.difference = difference;
  }

  /** CogVideoX 1.0 cuts patches with a convolution, 1.5 with a matrix. */
  Optional<String> patchEmbedding() {
    return reshaped(COGVIDEOX_PATCHES)
        .filter(p -> p.result().rank() != p.base().rank())
        .map(
            p ->
                p.base().rank() == 2
                    ? "this is a CogVideoX 1.0 model and the base is CogVideoX 1.5 (its"
                        + " patch_embed.proj is a matrix): name a base of 1.0"
                    : "this is a CogVideoX 1.5 model and the base is CogVideoX 1.0 (its"
                        + " patch_embed.proj is a convolution): name a base of 1.5");
  }

  /** Image-to-video models take the image's latents beside the video's. */
  Optional<String> inputChannels() {
    if (onlyIn(difference.unexpected())) {
      return Optional.of(imageToVideo("this", "the base", "the base has no ofs_embedding"));
    }
    if (onlyIn(difference.missing())) {
      return Optional.of(imageToVideo("the base", "this", "which has no ofs_embedding"));
    }
    Optional<Difference.Pair> first =
        difference.reshaped().stream()
            .filter(p -> FIRST_LAYER.matcher(p.name()).matches() && p.differsInDim(1))
            .findFirst();
    return first.map(ShapeHints::inputChannels);
  }

  private static String inputChannels(Difference.Pair first) {
    String widths =
        "%d %s where the base has %d"
            .formatted(
                first.result().dim(1),
                first.base().rank() > 2 ? "input channels" : "inputs a patch",
                first.base().dim(1));
    if (first.name().equals(COGVIDEOX_PATCHES)) {
      boolean wider = first.result().dim(1) > first.base().dim(1);
      return wider
          ? imageToVideo("this", "the base", widths)
          : imageToVideo("the base", "this", widths);
    }
    return "the model takes other inputs than the base ("
        + widths
        + "), as those for text, image and inpainting do: name the base that it was trained from";
  }

  private static String imageToVideo(String image, String text, String reason) {
    return "%s is an image-to-video model and %s a text-to-video model (%s): name a base of the same kind"
        .formatted(image, text, reason);
  }

  private static boolean onlyIn(List<TensorSpec> tensors) {
    return tensors.stream().anyMatch(t -> t.name().startsWith(OFS));
  }

  /** Training often pads a vocabulary to a multiple of 64 or so. */
  Optional<String> vocabulary() {
    return difference.reshaped().stream()
        .filter(p -> VOCABULARY.matcher(p.name()).matches() && p.differsInDim(0))
        .findFirst()
        .map(
            p -> {
              long own = p.result().dim(0);
              long base = p.base().dim(0);
              String sizes =
                  "the vocabulary has %d rows where the base has %d".formatted(own, base);
              return own > base
                  ? sizes
                      + ": if training padded it, give --mapping a file with "
                      + cut(base)
                      + "; if tokens were added, name as --base the folder that"
                      + " the training saved config.json and the tokenizer in, which needs no"
                      + " weights"
                  : sizes + ": name the base whose tokenizer it was trained with";
            });
  }

  /** A whole mapping file, to be copied from the message. */
  private String cut(long rows) {
    String names =
        difference.reshaped().stream()
            .filter(p -> VOCABULARY.matcher(p.name()).matches() && p.differsInDim(0))
            .filter(p -> p.base().dim(0) == rows)
            .map(p -> p.name().replace(".", "\\\\."))
            .collect(Collectors.joining("|"));
    return "{\"name\": \"cut\", \"description\": \"cut\", \"rules\": [{\"match\": \"%s\", \"cut\": {\"dim\": 0, \"length\": %d, \"into\": \"$0\"}}, {\"match\": \".*\", \"rename\": \"$0\"}]}"
        .formatted(names, rows);
  }

  private Optional<Difference.Pair> reshaped(String name) {
    return difference.reshaped().stream().filter(p -> p.name().equals(name)).findFirst();
  }
}
