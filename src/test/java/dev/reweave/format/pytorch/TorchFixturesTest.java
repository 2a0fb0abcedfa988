package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class TorchFixturesTest {

  static Stream<Path> checkpointFiles() {
    return FileAccess.checkpointFiles("fixtures")
        .filter(path -> !path.toString().contains("/corrupt/"));
  }

  @ParameterizedTest
  @MethodSource("checkpointFiles")
  void readsEveryTensorOfEveryFile(Path path) throws IOException {
    int tensors = 0;
    try (OpenTorchFile file = OpenTorchFile.open(path)) {
      assertTrue(file.root().isDict() || file.root().isTensor());
      Deque<TorchValue> open = new ArrayDeque<>();
      open.add(file.root());
      while (!open.isEmpty()) {
        TorchValue value = open.remove();
        if (value.isTensor()) {
          tensors++;
          assertEquals(
              value.tensor().elements() * value.tensor().dtype().bytes(),
              file.bytes(value).length,
              value.path());
        } else if (value.isDict()) {
          value.entries().forEach(e -> open.add(e.getValue()));
        } else if (value.isSequence()) {
          open.addAll(value.items());
        }
      }
    }
    // What a universal checkpoint keeps of the optimizer beside its parameters may be numbers
    // alone.
    boolean numbers = path.endsWith("zero/optimizer_state.pt");
    assertTrue(tensors > 0 || numbers || path.toString().contains("model_states"), "no tensor");
  }

  @ParameterizedTest
  @CsvSource({
    "z0_bf16_w2, global_step3:module, ckpt/global_step3/mp_rank_00_model_states.pt",
    "z0_fp16_w1, global_step3:module, ckpt/global_step3/mp_rank_00_model_states.pt",
    "z1_bf16opt_w2, global_step3:module, ckpt/global_step3/mp_rank_00_model_states.pt",
    "z2_fp32_w1, global_step3, ckpt/global_step3/mp_rank_00_model_states.pt",
    "z3_bf16_w2_save16, model16, ckpt/model16/pytorch_model.bin"
  })
  void givesTheBytesThatTorchGives(String fixture, String expected, String path)
      throws IOException {
    JsonNode tensors = expected(fixture, expected).path("tensors");
    assertFalse(tensors.isEmpty());
    try (OpenTorchFile file = OpenTorchFile.fixture(fixture + "/" + path)) {
      TorchValue module = file.root().find("module").orElse(file.root());
      for (Map.Entry<String, JsonNode> tensor : tensors.properties()) {
        TorchValue found = module.at(tensor.getKey());
        assertEquals(tensor.getValue().path("dtype").asText(), found.tensor().dtype().torchName());
        assertEquals(
            tensor.getValue().path("sha256").asText(), sha256(file.bytes(found)), found.path());
      }
    }
  }

  @Test
  void givesTheBytesOfLegacyFiles() throws IOException {
    String folder = "legacy_z2_fp16_w3/ckpt/global_step3/";
    ByteArrayOutputStream flat = new ByteArrayOutputStream();
    for (int rank = 0; rank < 3; rank++) {
      String name = "zero_pp_rank_" + rank + "_mp_rank_00_optim_states.pt";
      try (OpenTorchFile file = OpenTorchFile.fixture(folder + name)) {
        TorchValue state = file.root().at("optimizer_state_dict");
        assertEquals(2, state.at("zero_stage").integer());
        flat.writeBytes(file.bytes(state.at("single_partition_of_fp32_groups").items().get(0)));
      }
    }
    JsonNode tensors = expected("legacy_z2_fp16_w3", "global_step3").path("tensors");
    int at = 0;
    try (OpenTorchFile file = OpenTorchFile.fixture(folder + "mp_rank_00_model_states.pt")) {
      TorchValue shapes = file.root().at("param_shapes").items().get(0);
      for (Map.Entry<String, TorchValue> entry : shapes.entries()) {
        int end = at + (int) entry.getValue().shape().elements() * Float.BYTES;
        assertEquals(
            tensors.path(entry.getKey()).path("sha256").asText(),
            sha256(Arrays.copyOfRange(flat.toByteArray(), at, end)),
            entry.getKey());
        at = end;
      }
    }
    assertTrue(at > 0);
  }

  private static JsonNode expected(String fixture, String name) throws IOException {
    Path json = FileAccess.resource("fixtures/" + fixture + "/case.json");
    return new ObjectMapper().readTree(json.toFile()).path("expected").path(name);
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
