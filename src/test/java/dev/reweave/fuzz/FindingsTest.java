package dev.reweave.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.BoundedMatch;
import dev.reweave.common.ReweaveException;
import dev.reweave.target.mapping.Mapping;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Inputs that were neither read nor refused once. */
class FindingsTest {
  private static final String SLOW = "(.*)".repeat(9) + "x";
  private static final String NAME = "layers.0.attention.query_key_value.weights";

  private static void refuses(String message, Executable reading) {
    assertEquals(message, assertThrows(ReweaveException.class, reading).getMessage());
  }

  private static Mapping mapping(String members) {
    String json = "{'name': 'm', 'description': 'd', " + members + "}";
    return Mapping.parse(json.replace('\'', '"').getBytes(UTF_8), "m.json");
  }

  @Test
  void anExpressionThatWouldTakeAges() {
    Mapping mapping = mapping("'rules': [{'match': '" + SLOW + "', 'drop': 'r'}]");
    refuses(
        "to match '"
            + SLOW
            + "' with "
            + NAME
            + " takes too long: m.json, rule 1; write the expression with fewer parts that match the"
            + " same characters",
        () -> mapping.apply(List.of(MappingFuzz.tensor(NAME, 1)), Map.of()));
  }

  @Test
  void anExpressionForSlicesThatWouldTakeAges() {
    Mapping mapping = mapping("'tensorParallel': [{'match': '" + SLOW + "', 'dim': 0}]");
    refuses(
        "to match '"
            + SLOW
            + "' with "
            + NAME
            + " takes too long: a tensorParallel rule; write the expression with fewer parts that"
            + " match the same characters",
        () -> mapping.slicing().get(0).matches(NAME));
  }

  @Test
  void aNameThatFillsTheStack() {
    refuses(
        "to match '(?:a|b)*' with "
            + "a".repeat(200)
            + "… takes too long: x.pt; write the expression with fewer parts that match the same"
            + " characters",
        () -> BoundedMatch.ofStart(Pattern.compile("(?:a|b)*"), "a".repeat(1 << 20), "x.pt"));
  }

  @Test
  void aZeroStageOfMoreThanAnInteger() {
    String file = "z2_bf16_w2/ckpt/global_step3/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt";
    refuses(
        "no fp32 master partitions of ZeRO stage 4294967296: memory:/"
            + file
            + " at optimizer_state_dict; convert the module's own weights with --weights model",
        () -> CheckpointFuzz.read(file, withLargeNumber(file, "ZeroStageEnum\nq.")));
  }

  @Test
  void aLayerOfExpertsOfMoreThanAnInteger() {
    String file = "experts/zero_pp_rank_0_mp_rank_00_model_states.pt";
    refuses(
        "no layer has the number 4294967296: memory:/"
            + file
            + " at ds_autoep_layers[0].moe_layer_id; the file is damaged: copy it from the training"
            + " run again",
        () -> CheckpointFuzz.read(file, withLargeNumber(file, "moe_layer_idq.")));
  }

  @Test
  void aPieceOfAFrozenParameterWithGaps() {
    byte[] input = {0x7d, 'e', 2, 6, 6, 6, '\n', 'L', 0, 0, 0};

    assertDoesNotThrow(() -> CheckpointFuzz.fuzzerTestOneInput(input));
  }

  @Test
  void moreParametersThanCanBeCounted() {
    byte[] input = {1, 2, (byte) 0xeb, (byte) 0xeb, (byte) 0xe3, 0, 0x29, 0x20};

    assertDoesNotThrow(() -> CheckpointFuzz.fuzzerTestOneInput(input));
  }

  /** The pickle of a file with 2 to the power of 32 for the small number behind a text. */
  private static byte[] withLargeNumber(String file, String before) {
    String pickle = new String(CheckpointFuzz.pickle(file), ISO_8859_1);
    String changed = pickle.replaceFirst("(?s)(" + before + ")K.", "$1\u008a\5\0\0\0\0\1");
    return changed.getBytes(ISO_8859_1);
  }
}
