package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * DeepSpeed's own script, which makes safetensors of a ZeRO checkpoint.
 *
 * @param python has torch, safetensors and deepspeed
 */
record Peer(Path python) {
  private static final String VERSIONS =
      "import torch, safetensors, importlib.metadata as m; print('torch', torch.__version__,"
          + " 'safetensors', safetensors.__version__, 'deepspeed', m.version('deepspeed'))";

  /** Converts the newest step to float32. */
  ProcessRun.Taken convert(Path checkpoint, Path output) throws IOException, InterruptedException {
    return ProcessRun.run(
        Map.of("DS_ACCELERATOR", "cpu"),
        List.of(
            python.toString(),
            "-m",
            "deepspeed.utils.zero_to_fp32",
            checkpoint.toString(),
            output.toString(),
            "--safe_serialization"));
  }

  String versions() throws IOException, InterruptedException {
    return Machine.said(python.toString(), "-c", VERSIONS);
  }
}
