package dev.reweave.checkpoint;

import dev.reweave.checkpoint.dcp.DcpFormat;
import dev.reweave.checkpoint.deepspeed.DeepSpeedFormat;
import dev.reweave.checkpoint.huggingface.ModelFormat;
import java.util.List;

/** The formats that are read, in the order in which they are asked what lies at a place. */
final class CheckpointFormats {
  static final List<CheckpointFormat> ALL =
      List.of(new DeepSpeedFormat(), new ModelFormat(), new DcpFormat(), new StateDictFormat());

  private CheckpointFormats() {}
}
