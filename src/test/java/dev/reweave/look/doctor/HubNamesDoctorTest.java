package dev.reweave.look.doctor;

import dev.reweave.testing.Fixtures;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the doctor says of a model under in-memory names, and of a base that has the Hub's. */
class HubNamesDoctorTest {

  @ParameterizedTest
  @CsvSource({
    "mixtral-z3, ckpt, transformers-mixtral",
    "qwen2vl-z2, ckpt, transformers-qwen2-vl",
    "qwen3moe, memory.safetensors, transformers-moe",
    "deepseek-v3, memory.safetensors, transformers-moe"
  })
  void findsTheNamesOfTheBase(String name, String input, String mapping) {
    Path fixture = Fixtures.resource("deepspeed-0.19.8/hub-names-" + name);

    Complaints.of(
            fixture.resolve(input).toString(),
            Optional.of(fixture.resolve("hf").toString()),
            Depth.STRUCTURE)
        .none()
        .says(Severity.INFO, "names recognised: mapping " + mapping)
        .says(Severity.INFO, "all tensors have the names and shapes of the base");
  }

  @ParameterizedTest
  @CsvSource({"mixtral-z3, qwen3moe/hf", "qwen2vl-z2, mixtral-z3/hf"})
  void aBaseOfAnotherModelIsAProblem(String name, String base) {
    Complaints.of(
            Fixtures.resource("deepspeed-0.19.8/hub-names-" + name).resolve("ckpt").toString(),
            Optional.of(Fixtures.resource("deepspeed-0.19.8/hub-names-" + base).toString()),
            Depth.STRUCTURE)
        .oneProblem("tensors do not fit the base");
  }
}
