package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Spark sends to each task, as it tells itself, does not grow with the tensors. */
class TaskSizeTest {
  private static final int MOST_BYTES = 1 << 16;

  /** A list of the tensors is far longer than what a task may be sent. */
  private static final int TENSORS = 15_000;

  private static final Pattern STARTED =
      Pattern.compile("Starting task [\\d.]+ in stage .*, (\\d+) bytes\\).*");

  private static final Logger SCHEDULER =
      (Logger) LogManager.getLogger("org.apache.spark.scheduler.TaskSetManager");

  private final List<Integer> sizes = new CopyOnWriteArrayList<>();
  private final Level before = SCHEDULER.getLevel();
  private final AbstractAppender sizesOfTasks =
      new AbstractAppender("sizes of tasks", null, null, false, Property.EMPTY_ARRAY) {
        @Override
        public void append(LogEvent event) {
          Matcher started = STARTED.matcher(event.getMessage().getFormattedMessage());
          if (started.matches()) {
            sizes.add(Integer.parseInt(started.group(1)));
          }
        }
      };

  @TempDir Path temp;

  @BeforeEach
  void listen() throws IOException {
    List<TensorSpec> params = new ArrayList<>();
    for (int i = 0; i < TENSORS; i++) {
      params.add(new TensorSpec("layers." + i + ".weight", DType.F32, Shape.of(4)));
    }
    SyntheticCheckpoint.write(temp.resolve("in"), 3, 4, params, 1);
    sizesOfTasks.start();
    SCHEDULER.addAppender(sizesOfTasks);
    SCHEDULER.setLevel(Level.INFO);
  }

  @AfterEach
  void stopListening() {
    SCHEDULER.removeAppender(sizesOfTasks);
    SCHEDULER.setLevel(before);
  }

  private void convert(PlanOptions planning) {
    Converting.between(temp.resolve("in"), temp.resolve("out")).planning(planning).run();
  }

  @Test
  void ofSafetensors() {
    convert(PlanOptions.DEFAULTS);

    assertSmall(10);
  }

  /** The end of such a file holds a checksum of each tensor. */
  @Test
  void ofTorchFiles() {
    convert(PlanOptions.DEFAULTS.withSizes(1L << 40, 200_000).with(PlanOptions.FORMAT, Format.BIN));

    assertSmall(20);
  }

  private void assertSmall(int leastTasks) {
    assertTrue(sizes.size() >= leastTasks, () -> "only " + sizes.size() + " tasks");
    assertEquals(List.of(), sizes.stream().filter(size -> size > MOST_BYTES).toList());
  }
}
