package dev.reweave.cli.progress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.common.Progress;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How work is shown while it lasts. */
class ProgressViewTest {
  private final Progress progress = new Progress();
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  private PrintWriter collecting() {
    return new PrintWriter(
        new Writer() {
          private final StringBuilder text = new StringBuilder();

          @Override
          public void write(char[] chars, int offset, int length) {
            text.append(chars, offset, length);
          }

          @Override
          public void flush() {
            text.toString().lines().forEach(lines::add);
            text.setLength(0);
          }

          @Override
          public void close() {
            flush();
          }
        },
        true);
  }

  private JsonNode next() throws Exception {
    String line = lines.poll(1, TimeUnit.MINUTES);
    assertFalse(line == null, "no line came");
    return new ObjectMapper().readTree(line);
  }

  @Test
  void programsAreToldOfEachStepAndOfHowItGoesOn() throws Exception {
    try (ProgressView view = new ProgressView(progress)) {
      view.start(ProgressForm.JSON, collecting());
      progress.subject("to s3a://key:secret@bucket/a");
      Progress.Step step = progress.begin("convert", Progress.Unit.BYTES, 1000);

      JsonNode first = next();
      step.add(100);
      step.underWay(2, 150);
      JsonNode second = next();
      step.close();
      progress.begin("publish", Progress.Unit.FILES, 0);
      JsonNode third = next();
      while (third.get("step").asText().equals("convert")) {
        third = next();
      }

      assertEquals("progress", first.get("event").asText());
      assertEquals("convert", first.get("step").asText());
      assertEquals(
          "{\"unit\":\"bytes\",\"done\":250,\"total\":1000}", second.get("amount").toString());
      assertEquals(2, second.get("work").get("tasks").asInt());
      assertEquals(true, second.get("rate").asDouble() > 0);
      assertEquals(
          750, second.get("seconds_left").asDouble() * second.get("rate").asDouble(), 1e-6);
      assertEquals("publish", third.get("step").asText());
      assertNull(third.get("rate"), "nothing is known of it");
    }
  }

  @Test
  void nothingIsShownToThoseWhoWantQuiet() {
    try (ProgressView view = new ProgressView(progress)) {
      view.start(ProgressForm.NONE, collecting());
      progress.begin("convert", Progress.Unit.BYTES, 1000);
    }
    assertEquals(0, lines.size());
  }

  @Test
  void whatOthersWriteGoesThroughAsItIs() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    try (ProgressView view = new ProgressView(progress)) {
      PrintWriter writer = view.beside(stream);
      writer.println("wrote  3 tensors – ü");
      view.streamBeside(stream).print("log\n");
    }
    assertEquals(
        "wrote  3 tensors – ü" + System.lineSeparator() + "log\n",
        bytes.toString(StandardCharsets.UTF_8));
  }
}
