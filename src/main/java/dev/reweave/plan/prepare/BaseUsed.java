package dev.reweave.plan.prepare;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import dev.reweave.storage.FolderPath;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The model that the result was made to look like.
 *
 * @param mode {@code copy}, {@code reference} or {@code none}
 * @param component its folder, empty for the base itself
 * @param variant of the weight files, or empty
 * @param pipeline class that was asked for, or empty
 * @param files what was read of it
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record BaseUsed(
    String path,
    String mode,
    String component,
    String variant,
    String pipeline,
    List<BaseFile> files) {
  /**
   * What a manifest that was changed says is not believed where it could do harm.
   *
   * @throws IllegalArgumentException if the component is no folder of the base
   */
  public BaseUsed {
    path = orEmpty(path);
    mode = orEmpty(mode);
    component = orEmpty(component);
    variant = orEmpty(variant);
    pipeline = orEmpty(pipeline);
    require(
        component.isEmpty() || FolderPath.isInside(component),
        "a component that is no folder of the base");
    require(
        files == null || files.stream().noneMatch(Objects::isNull),
        "a list with nothing in a place");
    files = files == null ? List.of() : List.copyOf(files);
  }

  /**
   * What asks for it once more.
   *
   * @throws IllegalArgumentException if there is no such mode, or the path is none
   */
  public BaseChoice choice(Stores stores) {
    return new BaseChoice(
        stores.locate(path),
        BaseChoice.MODE.parse(mode),
        text(component),
        text(variant),
        text(pipeline));
  }

  private static Optional<String> text(String value) {
    return Optional.of(value).filter(v -> !v.isEmpty());
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  private static void require(boolean sound, String what) {
    if (!sound) {
      throw new IllegalArgumentException(what);
    }
  }

  /** One file of the base; {@code crc32c} where all of it was read. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record BaseFile(String name, long bytes, long modified, String crc32c) {}
}
