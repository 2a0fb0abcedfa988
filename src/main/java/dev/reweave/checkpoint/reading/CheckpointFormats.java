package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.dcp.DcpFormat;
import dev.reweave.checkpoint.deepspeed.DeepSpeedFormat;
import dev.reweave.checkpoint.foreign.ForeignFormat;
import dev.reweave.checkpoint.fsdp.FsdpFormat;
import dev.reweave.checkpoint.huggingface.ModelFormat;
import dev.reweave.checkpoint.megatron.MegatronFormat;
import dev.reweave.checkpoint.statedict.StateDictFormat;
import java.util.List;

/** The formats that are read, in the order in which they are asked what lies at a place. */
public final class CheckpointFormats {
  public static final List<CheckpointFormat> ALL =
      List.of(
          new DeepSpeedFormat(),
          new ModelFormat(),
          new DcpFormat(),
          new MegatronFormat(),
          new FsdpFormat(),
          new StateDictFormat(),
          new ForeignFormat());

  private CheckpointFormats() {}
}
