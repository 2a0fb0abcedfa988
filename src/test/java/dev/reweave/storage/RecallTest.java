package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What is made of one content is made once. */
class RecallTest {
  private final Recall recall = new Recall();
  private final AtomicInteger made = new AtomicInteger();

  private String make() {
    return "made " + made.incrementAndGet();
  }

  @Test
  void equalContentsAreOne() throws IOException {
    assertEquals("made 1", recall.of(List.of(1), String.class, this::make));
    assertEquals("made 1", recall.of(List.of(1), String.class, this::make));
    assertEquals("made 2", recall.of(List.of(2), String.class, this::make));
    assertEquals(3, recall.of(List.of(1), Integer.class, made::incrementAndGet));
  }

  @Test
  void allThatAskMeanwhileGetTheSame() {
    List<Integer> many = Collections.nCopies(50, 0);

    List<String> got = ParallelCalls.answers(many, i -> ofOne());

    assertEquals(Collections.nCopies(50, "made 1"), got);
  }

  private String ofOne() {
    try {
      return recall.of(1, String.class, this::make);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The next one may be another file, whose message names it. */
  @Test
  void whatFailsIsTriedAgain() throws IOException {
    for (int i = 0; i < 10; i++) {
      IOException failure = new IOException();
      assertSame(
          failure,
          assertThrows(
              IOException.class,
              () ->
                  recall.of(
                      1,
                      String.class,
                      () -> {
                        throw failure;
                      })));
    }

    assertEquals("made 1", recall.of(1, String.class, this::make));
  }

  @Test
  void contentsWithoutEndAreForgotten() throws IOException {
    List<String> got = new ArrayList<>();
    for (int content = 0; content < 1000; content++) {
      got.add(recall.of(content, String.class, this::make));
    }

    assertEquals("made 1000", got.get(999));
    assertEquals("made 1000", recall.of(999, String.class, this::make));
    assertEquals("made 1001", recall.of(0, String.class, this::make));
  }

  @Test
  void anotherMachineBeginsAnew() throws Exception {
    recall.of(1, String.class, this::make);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(recall);
    }

    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      Recall there = (Recall) in.readObject();
      assertEquals("made 2", there.of(1, String.class, this::make));
    }
  }
}
