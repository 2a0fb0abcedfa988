package dev.reweave.target.base;

import dev.reweave.common.JsonReader;
import dev.reweave.common.ReweaveException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Collectors;

/** What is wrong with a base, or with what is asked of it. */
final class BaseFailures {
  private static final String DOWNLOAD = "download the base again, or the files that differ";
  private static final String CORRECT = "copy the file again from its source, or correct it";
  private static final String WHOLE_PIPELINE =
      "or name the folder of the whole pipeline as the base";
  private static final String OTHER_COMPONENT =
      "convert it to safetensors first, take the revision of the base that has them, or name"
          + " another with --component";
  private static final String NAME_CLASS = "name its class with --pipeline CLASS";

  private BaseFailures() {}

  /** The address is misspelt, or one of a file. */
  static ReweaveException notFolder(String base) {
    return ReweaveException.notFound(
        "no base model is there, as it is not a folder",
        base,
        "give the folder of a downloaded model, with its config.json or model_index.json");
  }

  /**
   * It is no folder of a model, or one that has folders of models in it.
   *
   * @param pipeline a folder in it that is a base
   */
  static ReweaveException neither(String base, Optional<String> pipeline) {
    String below = pipeline.map(folder -> ", such as its folder " + folder).orElse("");
    return ReweaveException.notFound(
        "folder is no base: it has neither a model_index.json, nor two folders with configs, nor"
            + " a config.json or adapter_config.json",
        base,
        "name the folder of a pipeline or of one model" + below);
  }

  /** It was downloaded without its weights. */
  static ReweaveException noWeights(String base) {
    return new ReweaveException(
        "base has no weights, which say how tensors are called and shaped",
        base,
        "download the whole model, with its .safetensors files");
  }

  /** Its weights are pickles. */
  static ReweaveException pickledWeights(String file, String base) {
    return ReweaveException.unsupported(
        "base has its weights as " + file + " and not as safetensors",
        base,
        "convert that folder to safetensors first, or take the revision of it that has them");
  }

  /** Its weights are pickles. */
  static ReweaveException pickledComponent(String file, String component) {
    return ReweaveException.unsupported(
        "component of the base has its weights as " + file + " and not as safetensors",
        component,
        OTHER_COMPONENT);
  }

  /** It was downloaded without its weights. */
  static ReweaveException componentWithoutWeights(String component) {
    return ReweaveException.unsupported(
        "component of the base has no weights", component, OTHER_COMPONENT);
  }

  /** It was downloaded without its weights. */
  static ReweaveException noComponentHasSafetensors(String base) {
    return new ReweaveException(
        "none of the base's components has safetensors",
        base,
        "download the weights of the component that the result is for");
  }

  /** The repository was cloned without its large files. */
  static ReweaveException lfsPointer(String file) {
    return new ReweaveException(
        "file is a git-lfs pointer, without the weights",
        file,
        "run `git lfs pull` in the base, or download the file");
  }

  /** It was not downloaded whole. */
  static ReweaveException noIndex(String index, String component) {
    return new ReweaveException(
        "weights are in shards, but their index " + index + " is missing",
        component,
        "download the index of the base as well");
  }

  /** It was not downloaded whole. */
  static ReweaveException noShard(String shard, String index) {
    return new ReweaveException(
        "index names a shard that is not in the base, " + shard, index, DOWNLOAD);
  }

  /** Files of two revisions are mixed. */
  static ReweaveException notInIndex(String shard, String tensor, String index) {
    return new ReweaveException(
        shard + " has a tensor that is not in the index, " + Shortened.name(tensor),
        index,
        DOWNLOAD);
  }

  /** Files of two revisions are mixed. */
  static ReweaveException inOtherShard(String shard, String expected, String tensor, String index) {
    return new ReweaveException(
        shard + " has a tensor that the index has in " + expected + ", " + Shortened.name(tensor),
        index,
        DOWNLOAD);
  }

  /** Files of two revisions are mixed. */
  static ReweaveException notInShard(String shard, String tensor, String index) {
    return new ReweaveException(
        "index has a tensor that is not in its shard " + shard + ", " + Shortened.name(tensor),
        index,
        DOWNLOAD);
  }

  /** A config was damaged. */
  static ReweaveException notObject(String config) {
    return new ReweaveException("config is not a JSON object", config, CORRECT);
  }

  /** A config was damaged. */
  static ReweaveException brokenConfig(JsonReader.Broken cause, String config) {
    String problem =
        switch (cause.fault()) {
          case ENCODING -> cause.problem();
          case LIMIT -> "config is nested too deep or has too long a number";
          case SYNTAX -> "config is not sound JSON (" + cause.detail() + ")";
        };
    return new ReweaveException(problem, config, CORRECT, cause);
  }

  /** Several stems of weights in one folder. */
  static ReweaveException severalModels(List<String> stems, String component) {
    return ReweaveException.usage(
        "folder has the weights of several models: " + Shortened.list(stems),
        component,
        "give a base that holds one of them as diffusion_pytorch_model or model");
  }

  /** {@code --variant} that is not there. */
  static ReweaveException noVariant(String wanted, Collection<String> variants, String component) {
    return ReweaveException.notFound(
        "base has no variant '"
            + wanted
            + "': "
            + (variants.isEmpty() ? "none" : Shortened.list(variants)),
        component,
        variants.isEmpty() ? "leave --variant out" : "name one of them with --variant");
  }

  /** Weights of several variants, and none without one. */
  static ReweaveException severalVariants(Collection<String> variants, String component) {
    return ReweaveException.notFound(
        "base has several variants: " + Shortened.list(variants),
        component,
        "name one of them with --variant");
  }

  /** {@code --variant} with characters that no variant has. */
  static ReweaveException notVariant(String variant) {
    return ReweaveException.usage(
        "not the name of a variant",
        "--variant " + variant,
        "name one of letters, digits, '_' and '-', such as fp16");
  }

  /** {@code --component} for the folder of one model. */
  static ReweaveException noComponents(String component) {
    return ReweaveException.usage(
        "base is the folder of one model and has no components",
        "--component " + component,
        "leave --component out, " + WHOLE_PIPELINE);
  }

  /**
   * {@code --component}, or the mapping, names what is not there.
   *
   * @param candidates those that are there
   * @param place what named it
   */
  static ReweaveException noSuchComponent(List<String> candidates, String place) {
    return ReweaveException.notFound(
        "base has no such component",
        place,
        "name one of " + Shortened.list(candidates) + " with --component");
  }

  /** Several components have tensors of these names, or none has. */
  static ReweaveException whichComponent(List<String> candidates, String base) {
    return ReweaveException.usage(
        "the tensors' names do not tell which component of the base they are for",
        base,
        "name one of " + Shortened.list(candidates) + " with --component");
  }

  /** {@code --pipeline} for the folder of one model. */
  static ReweaveException noPipeline(String base) {
    return ReweaveException.usage(
        "base is the folder of one model, which has no model_index.json",
        base,
        "leave --pipeline out, " + WHOLE_PIPELINE);
  }

  /** Components that more than one pipeline has. */
  static ReweaveException severalPipelines(List<String> pipelines, String base) {
    return ReweaveException.usage(
        "base could be of several pipelines: " + String.join(", ", pipelines), base, NAME_CLASS);
  }

  /** Components of a pipeline that is not known. */
  static ReweaveException unknownPipeline(SortedMap<String, LibraryClass> components, String base) {
    String listed =
        components.entrySet().stream()
            .map(e -> e.getKey() + " (" + e.getValue() + ")")
            .collect(Collectors.joining(", "));
    return ReweaveException.usage(
        "no pipeline is known for the base's components " + listed, base, NAME_CLASS);
  }

  /** {@code --pipeline} with something else than a class. */
  static ReweaveException notClass(String pipeline) {
    return ReweaveException.usage(
        "not the name of a class",
        "--pipeline " + pipeline,
        "name a pipeline's class, such as CogVideoXPipeline");
  }

  /**
   * The checkpoint is of another model, or its names are others.
   *
   * @param hints what the differences most likely come from
   */
  static ReweaveException unfit(
      Difference difference, List<String> hints, String component, String place) {
    return ReweaveException.mismatch(
        "tensors do not fit the base " + component + ": " + difference.text(),
        place,
        hints.isEmpty()
            ? "name the base or the --component that this checkpoint was trained from, or a mapping"
                + " that gives its tensors the base's names"
            : String.join("; ", hints));
  }

  /** A base without weights, of another model. */
  static ReweaveException unfitConfig(List<String> contradictions, String config) {
    return ReweaveException.mismatch(
        "config.json of the base does not fit the weights: " + String.join("; ", contradictions),
        config,
        "name as --base the folder with the config.json that the training saved, or correct"
            + " that file");
  }
}
