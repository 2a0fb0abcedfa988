package dev.reweave.look.report;

import dev.reweave.manifest.Manifest;
import java.util.List;

/** Python that loads a result as a dict of tensors, where no config says what model they are of. */
final class TensorCode {
  private TensorCode() {}

  /**
   * The lines of it.
   *
   * @param result with at least one shard
   * @param path of its folder
   */
  static List<String> lines(Manifest.Result result, String path) {
    String first = result.shards().get(0).name();
    if (first.endsWith(".distcp")) {
      int slash = first.lastIndexOf('/');
      String folder = slash < 0 ? path : path + "/" + first.substring(0, slash);
      return List.of(
          "import torch.distributed.checkpoint as dcp",
          "",
          "# on any number of ranks; model is the one to train, sharded or not",
          "state = model.state_dict()",
          "dcp.load(state, checkpoint_id=" + PythonText.quoted(folder) + ")",
          "model.load_state_dict(state)");
    }
    boolean isTorch = first.endsWith(".bin");
    if (result.shards().size() == 1) {
      return List.of(loader(isTorch), "", "tensors = " + call(isTorch, quoted(path, first)));
    }
    return List.of(
        "import json",
        "from pathlib import Path",
        loader(isTorch),
        "",
        "index = Path(" + quoted(path, result.index()) + ")",
        "tensors = {}",
        "for shard in sorted(set(json.loads(index.read_text())[\"weight_map\"].values())):",
        "    tensors.update(" + call(isTorch, "index.parent / shard") + ")");
  }

  private static String loader(boolean isTorch) {
    return isTorch ? "import torch" : "from safetensors.torch import load_file";
  }

  private static String call(boolean isTorch, String file) {
    return isTorch
        ? "torch.load(" + file + ", map_location=\"cpu\", weights_only=True)"
        : "load_file(" + file + ")";
  }

  private static String quoted(String folder, String name) {
    return PythonText.quoted(folder.equals("/") ? "/" + name : folder + "/" + name);
  }
}
