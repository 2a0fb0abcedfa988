package dev.reweave.checkpoint.fsdp;

import static dev.reweave.checkpoint.fsdp.MadeRanks.longs;
import static dev.reweave.checkpoint.fsdp.RankReadings.assertRefused;
import static dev.reweave.checkpoint.fsdp.RankReadings.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.fsdp.MadeRanks.Form;
import dev.reweave.checkpoint.fsdp.MadeRanks.Part;
import dev.reweave.checkpoint.fsdp.MadeRanks.Rank;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TensorValue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ranks of the stages of a pipeline, each stage sharded by FSDP2 over ranks of its own. */
class PipelineStagesTest {
  private static final Shape SHAPE = Shape.of(6, 3);
  private static final int STAGES = 2;
  private static final int SHARDS = 2;

  @TempDir Path temp;

  /** A rank of a stage, whose mesh is a part of that of all ranks. */
  private static Rank rank(int stage, int shard) {
    Rank rank = new Rank(List.of(SHARDS), List.of(new Part(0, 0)), SHAPE, Form.LAYOUT, shard);
    rank.mesh.put("_layout", Rank.layout(longs(SHARDS), longs(1)));
    rank.mesh.put("_flatten_rank_map", longs(0, 1, 2, 3));
    rank.entries.put("layers." + stage, rank.entries.remove("w"));
    return rank;
  }

  /** The number that stands before the elements in each rank's storage. */
  private static TensorValue buffer() {
    return new TensorValue("0", "FloatStorage", 12, 0, Shape.of(1), List.of(1L));
  }

  private void write(Rank rank, int stage, int shard) throws IOException {
    rank.writeAs(temp, stage * SHARDS + shard, STAGES * SHARDS);
  }

  @Test
  void eachStageHasTensorsOfItsOwn() throws IOException {
    for (int stage = 0; stage < STAGES; stage++) {
      for (int shard = 0; shard < SHARDS; shard++) {
        Rank rank = rank(stage, shard);
        rank.entries.put("seen." + stage, buffer());
        rank.entries.put("steps", buffer());
        write(rank, stage, shard);
      }
    }

    Gathered gathered = Converting.between(temp, temp.resolve("out")).gather();

    String counted = FsdpRoundTripTest.counted(SHAPE).get("w");
    byte[] before = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(-1).array();
    String buffer = StoredTensors.describe(DType.F32, "[1]", before);
    assertEquals(
        Map.of(
            "layers.0",
            counted,
            "layers.1",
            counted,
            "seen.0",
            buffer,
            "seen.1",
            buffer,
            "steps",
            buffer),
        gathered.tensors());
    assertTrue(
        read(temp)
            .notes()
            .contains("4 tensors of some ranks alone, as the stages of a pipeline have them"));
  }

  /** The mesh tells of a rank that should have a part. */
  @Test
  void aRankWithoutItsPart() throws IOException {
    for (int stage = 0; stage < STAGES; stage++) {
      for (int shard = 0; shard < SHARDS; shard++) {
        Rank rank = rank(stage, shard);
        if (stage == 1 && shard == 1) {
          rank.entries.put("other", rank.entries.remove("layers.1"));
        }
        write(rank, stage, shard);
      }
    }

    assertRefused(temp, "is not in this file, and in that of another rank");
  }

  /** What no mesh tells of may as well be missing from another rank's file. */
  @Test
  void wholeTensorsOfOneRank() throws IOException {
    for (int stage = 0; stage < STAGES; stage++) {
      for (int shard = 0; shard < SHARDS; shard++) {
        Rank rank = rank(stage, shard);
        if (shard == 1) {
          rank.entries.put("seen", buffer());
        }
        write(rank, stage, shard);
      }
    }

    assertRefused(temp, "'seen' is not in this file, and in that of another rank");
  }
}
