package dev.reweave.checkpoint;

import java.util.List;
import java.util.regex.Pattern;

/** Folders that hold several models, where they would otherwise be taken for steps of one. */
public final class SideBySide {
  /**
   * What Accelerate calls the models of one {@code save_state}, with a number from the second (or,
   * under FSDP, from the first) on: {@code MODEL_NAME} and {@code FSDP_MODEL_NAME} in {@code
   * accelerate/utils/constants.py}.
   */
  private static final Pattern MODEL = Pattern.compile("pytorch_model(_fsdp)?(_\\d{1,9})?");

  private SideBySide() {}

  /** Whether folders of these names are models that were saved at the same time. */
  public static boolean areModels(List<String> folders) {
    return folders.size() > 1 && folders.stream().allMatch(f -> MODEL.matcher(f).matches());
  }
}
