package dev.reweave.cli.progress;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.common.Progress;
import dev.reweave.common.Redacted;
import java.util.Locale;

/**
 * The work at a moment, for programs: what is not known is left out.
 *
 * @param event always {@code progress}, which tells the line from others on the error stream
 * @param subject which of several conversions it is for
 * @param step what is done
 * @param amount how much of it: {@code unit} is {@code bytes} or {@code files}
 * @param rate units in a second, lately
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record JsonLine(
    String event,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) String subject,
    String step,
    Amount amount,
    Double rate,
    @JsonProperty("seconds_left") Double secondsLeft,
    Work work,
    @JsonProperty("slowest_input") Slowest slowest) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How much is done. */
  record Amount(String unit, long done, long total) {}

  /** Who does it, and what is whole. */
  record Work(
      int tasks,
      int retries,
      @JsonProperty("shards_done") int shardsDone,
      @JsonProperty("shards") int shards) {}

  /** The input that is read most slowly. */
  record Slowest(String uri, @JsonProperty("bytes_per_second") double rate) {}

  static String of(Progress.State state, Rate rate) {
    Progress.Amount amount = state.amount();
    JsonLine line =
        new JsonLine(
            "progress",
            state.subject(),
            state.step(),
            new Amount(
                amount.unit().name().toLowerCase(Locale.ROOT), amount.done(), amount.total()),
            rate.perSecond().isPresent() ? rate.perSecond().getAsDouble() : null,
            rate.secondsLeft(amount).isPresent() ? rate.secondsLeft(amount).getAsDouble() : null,
            new Work(
                state.tasks().running(),
                state.tasks().retries(),
                state.shards().done(),
                state.shards().all()),
            state
                .slowest()
                .map(s -> new Slowest(Redacted.text(s.uri()), s.bytesPerSecond()))
                .orElse(null));
    try {
      return JSON.writeValueAsString(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
